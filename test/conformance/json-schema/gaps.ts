/** Why a schema is not taken, by the code of the diagnostic that its author gets. */
export const REFUSED: Readonly<Record<string, string>> = {
  "remote-reference":
    "Nothing is fetched, and `$id` counts for nothing: a reference is a file of the folder.",
  "unknown-file":
    "The same of a relative reference: it is relative to the file in which it stands, not to `$id`.",
  "reference-outside": "The same of one that begins at the root.",
  "unsupported-keyword": "What `$dynamicRef` leads to depends on who asks; OpenAPI documents hardly use it.",
};

/** How many schemas of a file are not taken for one of these reasons. */
export const REFUSED_OF: Readonly<Record<string, number>> = {
  anchor: 4,
  defs: 1,
  dynamicRef: 17,
  id: 4,
  "optional/ecmascript-regex": 1,
  ref: 15,
  refRemote: 14,
  unknownKeyword: 1,
};

interface Gap {
  readonly why: string;
  readonly tests: readonly string[];
}

/** What is judged otherwise, by file and description of the schema. */
export const WRONG: Readonly<Record<string, Gap>> = {
  "anchor: $anchor inside an enum is not a real identifier": {
    why: "What looks like an anchor is taken for one wherever it stands; the suite has it in a value.",
    tests: ["match $ref to $anchor"],
  },
  "unevaluatedItems: unevaluatedItems and contains interact to control item dependency relationship": {
    why: "What `contains` finds counts as evaluated even where the condition around it did not hold: ajv keeps no list of items.",
    tests: [
      "only b's are invalid",
      "only c's are invalid",
      "only b's and c's are invalid",
      "only a's and c's are invalid",
    ],
  },
  "vocabulary: schema that uses custom metaschema with with no validation vocabulary": {
    why: "`$schema` counts for nothing, and its author is told: all schemas are judged by draft 2020-12.",
    tests: ["no validation: invalid number, but it still validates"],
  },
};
