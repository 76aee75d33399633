/** The first words of a public document that `postern openapi` wrote, in YAML and in JSON. */
export const PUBLIC_DOCUMENT = {
  yaml: "# Written by `postern openapi`",
  json: { "x-written-by": "postern openapi" },
} as const;

/** Whether a text is such a document, and so no service's: it may lie among those of the services. */
export const isPublicDocument = (text: string): boolean =>
  text.startsWith(PUBLIC_DOCUMENT.yaml) || /^\{\s*"x-written-by": "postern openapi"/.test(text);
