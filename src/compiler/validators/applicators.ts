import { _, type Ajv2020, type CodeKeywordDefinition, type KeywordCxt, Name } from "ajv/dist/2020.js";
import containsOfAjv from "ajv/dist/vocabularies/applicator/contains.js";
import ifOfAjv from "ajv/dist/vocabularies/applicator/if.js";
import unevaluatedItemsOfAjv from "ajv/dist/vocabularies/unevaluated/unevaluatedItems.js";

/** Gives ajv its own `contains`, `if` and `unevaluatedItems` again, with what these miss of draft 2020-12. */
export const addApplicators = (ajv: InstanceType<typeof Ajv2020>): void => {
  for (const definition of [contains, ifThenElse, unevaluatedItems]) {
    ajv.removeKeyword(definition.keyword as string);
    ajv.addKeyword(definition);
  }
};

const definitionOf = (module: unknown): CodeKeywordDefinition =>
  (module as { readonly default?: CodeKeywordDefinition }).default ?? (module as CodeKeywordDefinition);

/**
 * What is wrong with an item that another one makes good is forgotten at once, however many there are. Which items are
 * evaluated by it is said in the translated schema: ajv would take all of them for evaluated.
 */
const contains: CodeKeywordDefinition = {
  ...definitionOf(containsOfAjv),
  code: (cxt) => {
    const { it } = cxt;
    const { items } = it;
    const subschema = cxt.subschema.bind(cxt);
    cxt.subschema = (applied, valid) => {
      const inner = subschema(applied, valid);
      cxt.reset();
      return inner;
    };
    definitionOf(containsOfAjv).code(cxt);
    if (items === undefined) delete it.items;
    else it.items = items;
  },
};

/** What `if` evaluates counts only where it holds (JSON Schema core, section 10.2.2.1). */
const ifThenElse: CodeKeywordDefinition = {
  ...definitionOf(ifOfAjv),
  code: (cxt) => {
    let holds: Name | undefined;
    const subschema = cxt.subschema.bind(cxt);
    const merge = cxt.mergeEvaluated.bind(cxt);
    cxt.subschema = (applied, valid) => {
      if (applied.keyword === "if") holds = valid;
      return subschema(applied, valid);
    };
    cxt.mergeEvaluated = (inner, toName) =>
      toName === undefined && holds !== undefined
        ? void cxt.mergeValidEvaluated(inner, holds)
        : merge(inner, toName);
    definitionOf(ifOfAjv).code(cxt);
  },
};

/** How many items are evaluated is known only at run time where a schema that may not hold says it. */
const unevaluatedItems: CodeKeywordDefinition = {
  ...definitionOf(unevaluatedItemsOfAjv),
  code: (cxt: KeywordCxt) => {
    const { gen, it, data } = cxt;
    const { items } = it;
    if (items instanceof Name)
      it.items = gen.const("evaluated", _`${items} === true ? ${data}.length : ${items} || 0`);
    definitionOf(unevaluatedItemsOfAjv).code(cxt);
  },
};
