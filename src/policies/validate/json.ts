import { hasRepeatedNames } from "../../lib/json-text.ts";

/** What stands for a text that is not to be taken for JSON. */
export class NotJson {
  /** As it goes on after what is spoken of. */
  readonly because: string;
  constructor(because: string) {
    this.because = because;
  }
}

const NO_JSON = new NotJson("is not JSON");
/** What is judged has to be what the service reads, and of two members of one name some read the first (RFC 8259 section 4). */
const REPEATED_NAME = new NotJson("has an object with two members of one name");

/** The value of a text in JSON; undefined is a text that is none. */
export const parsedJson = (text: string | undefined): unknown => {
  if (text === undefined) return NO_JSON;
  try {
    const value: unknown = JSON.parse(text);
    return hasRepeatedNames(text, value) ? REPEATED_NAME : value;
  } catch {
    return NO_JSON;
  }
};
