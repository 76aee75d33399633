/** Why a text is not the URL of a target. */
export interface WrongUrl {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

const bad = (
  message: string,
  remedy = "Write scheme, host and an optional base path: https://orders.example.com/v1.",
): WrongUrl => ({ code: "bad-url", message, remedy });

/** The URL standard lets more into a host than DNS has names for, such as the braces of a template. */
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/;

/** The URL of a target as people write it: http or https, a host, and a base path. */
export const targetUrl = (text: string): URL | WrongUrl => {
  if (!URL.canParse(text)) return bad("This is not a URL.");
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return wrongScheme(url);
  if (url.search !== "" || url.hash !== "" || text.includes("?") || text.includes("#"))
    return bad("A target has no query and no fragment.");
  if (url.username !== "" || url.password !== "") return bad("A credential does not belong in a URL.");
  if (!HOST.test(url.hostname))
    return bad(`"${url.hostname}" is no host: no part of it comes from a request.`);
  return url;
};

const wrongScheme = ({ protocol, href }: URL): WrongUrl => {
  const isSecure = protocol === "wss:" || protocol === "grpcs:";
  const http = (isSecure ? "https:" : "http:") + href.slice(protocol.length);
  switch (protocol) {
    case "ws:":
    case "wss:":
      return bad(
        "A target is reached by http or https, for WebSockets too.",
        `Write ${http}, and \`websocket: true\` in the routes that offer them.`,
      );
    case "grpc:":
    case "grpcs:":
      return {
        code: "grpc-not-offered",
        message: "gRPC is not offered: its trailers do not pass a Worker.",
        remedy: `Let clients call the service directly; or give it gRPC-Web or JSON, and write ${http}.`,
      };
    default:
      return bad("A target is reached by http or https.");
  }
};
