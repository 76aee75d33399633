// The reference page, in the browser: hands the description to the renderer, and mends what the renderer leaves out for those
// who do not see the page or have no mouse. The page brings no other script of ours, and nothing of it is kept in the browser.

import { resolvedPart } from "./references.js";

/** Attributes for elements of the renderer that lack them, or have worse ones, by selector. */
const MENDED = [
  [".information-container", { role: "region", "aria-label": "About this API" }],
  [".scheme-container", { role: "region", "aria-label": "Server and credentials" }],
  [".filter-container", { role: "search", "aria-label": "Operations" }],
  [".operation-filter-input", { "aria-label": "Filter operations by tag or path" }],
  ["#servers", { "aria-label": "Server" }],
  [".opblock-tag, .modal-ux h3", { "aria-level": "2" }],
  [".opblock-section-header h4, .responses-inner h4, .modal-ux h4", { "aria-level": "3" }],
  [".responses-inner h5", { "aria-level": "4" }],
  [".responses-table", { role: "table" }],
  [".modal-ux", { role: "dialog", "aria-modal": "true", "aria-label": "Credentials" }],
  [".close-modal", { "aria-label": "Close" }],
  [".auth-btn-wrapper .authorize", { "aria-label": "Authorize: apply credentials" }],
  // What is typed here is for this page alone: no browser is to remember it.
  [".auth-container input", { autocomplete: "off", spellcheck: "false" }],
  ["#auth-bearer-value", { "aria-label": "Token" }],
  ["#api_key_value", { "aria-label": "Key" }],
  [".body-param__text", { "aria-label": "Request body" }],
  [".highlight-code pre, .curl, .example pre", { tabindex: "0" }],
];

const mend = (root) => {
  for (const [selector, attributes] of MENDED)
    for (const element of root.querySelectorAll(selector))
      for (const [name, value] of Object.entries(attributes))
        if (element.getAttribute(name) !== value) element.setAttribute(name, value);
};

/** Mends what comes later too: the renderer draws a long list only as far as it is seen. */
const keepMended = (root) => {
  const dialog = keepFocus(root);
  const look = () => {
    mend(root);
    dialog.look();
  };
  look();
  new MutationObserver(look).observe(root, { childList: true, subtree: true });
};

/** Takes the focus into the dialog while it is open and back when it closes; Escape closes it. */
const keepFocus = (root) => {
  let open;
  let before;
  const look = () => {
    const dialog = root.querySelector(".modal-ux") ?? undefined;
    if (dialog === open) return;
    if (open === undefined) before = document.activeElement;
    open = dialog;
    // What opened it may have been drawn anew.
    const opener =
      before?.isConnected && before !== document.body ? before : root.querySelector(".btn.authorize");
    if (open === undefined) opener?.focus();
    else (open.querySelector("input") ?? open.querySelector("button"))?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (open === undefined) return;
    if (event.key === "Escape") open.querySelector(".close-modal")?.click();
    if (event.key !== "Tab") return;
    const stops = [...open.querySelectorAll("a[href], button, input, select, textarea")];
    const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
    if (document.activeElement !== from && open.contains(document.activeElement)) return;
    event.preventDefault();
    to?.focus();
  });
  return { look };
};

const originOf = ({ url }) => {
  try {
    return new URL(url, location.href).origin;
  } catch {
    return undefined;
  }
};

/**
 * Puts the origin of this page in front of the servers, so that calls go to where the page came from. Where no server is said
 * to be there, as on a developer's machine, it is offered for every operation.
 */
const serveFromHere = (description) => {
  const here = location.origin;
  const holders = [
    description,
    ...Object.values(description.paths ?? {}).flatMap((item) => [
      item,
      ...Object.values(item).filter((it) => typeof it === "object" && it !== null),
    ]),
  ].filter((holder) => Array.isArray(holder.servers));
  const isDocumented = holders.some(({ servers }) => servers.some((server) => originOf(server) === here));
  for (const holder of holders) {
    const own = holder.servers.filter((server) => originOf(server) === here);
    const others = holder.servers.filter((server) => originOf(server) !== here);
    holder.servers = [...(own.length === 0 && !isDocumented ? [{ url: here }] : own), ...others];
  }
  if (!Array.isArray(description.servers) || description.servers.length === 0)
    description.servers = [{ url: here }];
};

/** A link inside of a button can be neither seen nor reached for what it is; the button opens the operation already. */
const withoutNestedLinks = ({ React }) => ({
  components: { DeepLink: ({ text }) => React.createElement("span", null, text) },
});

/** Our way to look up references, in place of the renderer's. */
const withQuickReferences = () => ({
  fn: {
    resolveSubtree: async (description, path) => ({ spec: resolvedPart(description, path), errors: [] }),
  },
});

/** Parameters that all operations of a path have stand with each of them. */
const spreadParameters = ({ paths = {} }) => {
  for (const item of Object.values(paths)) {
    if (!Array.isArray(item.parameters)) continue;
    for (const operation of Object.values(item)) {
      if (typeof operation !== "object" || operation === null || Array.isArray(operation)) continue;
      const own = operation.parameters ?? [];
      const isOwn = (shared) => own.some((it) => it.name === shared.name && it.in === shared.in && !it.$ref);
      operation.parameters = [...item.parameters.filter((shared) => !isOwn(shared)), ...own];
    }
  }
};

const show = (description, root) => {
  serveFromHere(description);
  spreadParameters(description);
  document.title ||= description.info?.title ?? "API";
  globalThis.SwaggerUIBundle({
    spec: description,
    domNode: root,
    plugins: [withoutNestedLinks, withQuickReferences],
    // The list is drawn as it is scrolled when it is long; drawing it so from the beginning, it never jumps.
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    deepLinking: true,
    filter: true,
    displayRequestDuration: true,
    persistAuthorization: false,
    validatorUrl: null,
    syntaxHighlight: { activated: true, theme: "tomorrow-night" },
    onComplete: () => {
      root.removeAttribute("aria-busy");
      keepMended(root);
    },
  });
};

const fail = (root) => {
  root.removeAttribute("aria-busy");
  const words = document.createElement("p");
  words.setAttribute("role", "alert");
  words.textContent = "The description of this API could not be loaded. Reload the page to try again.";
  root.replaceChildren(words);
};

const start = async () => {
  const root = document.getElementById("api");
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("operations")?.focus();
  });
  try {
    const answer = await fetch(document.body.dataset.description);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json(), root);
  } catch (error) {
    console.error(error);
    fail(root);
  }
};

void start();
