import type { Exchange } from "../../core/exchange.ts";

/**
 * Entity tags of edited answers. The upstream's tag tells its own answers apart; the answer that the gateway makes of one
 * depends on the edits, too. So a tag gets their mark, and loses it on its way back: what was edited otherwise is never
 * taken for current, as it would be after a change of the policy. The tags are weak: they are not the upstream's own
 * (RFC 9110 section 8.8.1).
 */
export const markedTag = (tag: string, mark: string): string | undefined => {
  const opaque = /^(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/.exec(tag)?.[1];
  return opaque === undefined ? undefined : `W/"${opaque}~${mark}"`;
};

const TAGS = /"([\x21\x23-\x7e\x80-\xff]*)"/g;

/** The upstream's tags of those in If-None-Match that have the mark; undefined where none has it. */
export const unmarkedTags = (field: string, mark: string): string | undefined => {
  if (field.trim() === "*") return field;
  const tags: string[] = [];
  for (const [, opaque = ""] of field.matchAll(TAGS))
    if (opaque.endsWith("~" + mark)) tags.push(`W/"${opaque.slice(0, -mark.length - 1)}"`);
  return tags.length === 0 ? undefined : tags.join(", ");
};

/** A field as the upstream would get it: what the client sent, and policies further out changed. Null where it is absent. */
export const sentField = ({ request, requestEdits }: Exchange, name: string): string | null => {
  let value = request.headers.get(name);
  for (const edit of requestEdits) {
    if (edit.op === "allow") {
      if (!edit.names.includes(name)) value = null;
    } else if (edit.name === name) {
      if (edit.op === "remove") value = null;
      else value = edit.op === "set" || value === null ? edit.value : `${value}, ${edit.value}`;
    }
  }
  return value;
};
