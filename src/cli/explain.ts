import { type Command, InvalidArgumentError } from "commander";
import { isError } from "../compiler/diagnostics.ts";
import { anatomyOf } from "../compiler/explain.ts";
import { typedAnswer } from "./explain-cache.ts";
import { headerField, spokenRequest } from "./explain-request.ts";
import { explanationText } from "./explain-text.ts";
import { explainRequest } from "./explaining.ts";
import { CommandFailed } from "./failure.ts";
import { type Format, type WorkspaceOptions, withFormat, withWorkspace } from "./options.ts";
import { printDiagnostics } from "./print.ts";
import { chosenEnvironment, compileWorkspace, openWorkspace } from "./workspace.ts";

interface ExplainOptions extends WorkspaceOptions {
  readonly header?: Headers;
  readonly token?: string;
  readonly answer?: number;
  readonly answerHeader?: Headers;
  readonly format: Format;
}

/** `postern explain`: which route takes a request and why, what it meets on its way, and what is stored of the answer. */
export const registerExplain = (program: Command): void => {
  const command = program
    .command("explain")
    .description("say what becomes of a request: route, policies, upstream and cache, each with its place")
    .argument("<request...>", "method and URL: 'GET https://api.example.com/users/42'");
  withFormat(withWorkspace(command), ["text", "json"])
    .option(
      "-H, --header <field>",
      "a header field of the request: 'name: value' (repeat for more)",
      headerField,
    )
    .option("--token <token>", "a bearer token; its claims are judged, its signature is not")
    .option("--answer <status>", "an answer of the upstream: is it stored?", status)
    .option("--answer-header <field>", "a header field of that answer (repeat for more)", headerField)
    .action(async (words: readonly string[], options: ExplainOptions) => {
      const spoken = spokenRequest(words, options.header ?? new Headers());
      const workspace = await openWorkspace(options);
      const environment = chosenEnvironment(workspace, options.env);
      const { plan, diagnostics } = compileWorkspace(workspace, environment);
      if (plan === undefined) {
        printDiagnostics(diagnostics.filter(isError), workspace.sources);
        throw new CommandFailed(1, "");
      }
      const explained = await explainRequest(
        anatomyOf(plan, workspace.tree, workspace.sources, environment),
        {
          spoken,
          token: options.token,
          answer: answerOf(options),
        },
      );
      process.stdout.write(
        options.format === "json"
          ? `${JSON.stringify(explained, undefined, 2)}\n`
          : explanationText(explained),
      );
    });
};

const status = (text: string): number => {
  if (!/^[2-5]\d\d$/.test(text)) throw new InvalidArgumentError("Write a final status: 200, 404.");
  return Number(text);
};

const answerOf = ({ answer, answerHeader }: ExplainOptions) => {
  if (answer !== undefined) return typedAnswer(answer, answerHeader ?? new Headers());
  return answerHeader === undefined ? undefined : typedAnswer(200, answerHeader);
};
