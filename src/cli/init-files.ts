/** What `postern init` writes: one public route, one that asks for a token, and the environments to run them in. */
export const EXAMPLE_FILES: Readonly<Record<string, string>> = {
  "gateway.yaml": `gateway:
  name: example
  hosts: { public: api.example.com }
  clientIp: cloudflare
  policies:
    requestId: {}
    accessLog: {}
    securityHeaders: {}
    cors: { origins: ["https://www.example.com"] }
    rateLimit:
      limits:
        - { name: per-ip, rate: 600/1m, key: ip, store: isolate }

environments:
  production: {}
  local:                                 # postern serve --env local
    development: true
    gateway: { hosts: { public: "*" }, clientIp: connection }
    issuers: { main: { jwks: local } }   # keys of \`postern token\`

issuers:
  main:
    issuer: https://login.example.com/
    audiences: [example]
    algorithms: [ES256]
    jwks: { url: "https://login.example.com/.well-known/jwks.json" }
`,
  "apis.yaml": `apis:
  hello:
    routes:
      greeting:
        match: { path: /hello, methods: [GET] }
        public: true
        respond: { status: 200, headers: { content-type: text/plain }, body: "Hello from the gate.\\n" }
      secret:
        match: { path: "/hello/{name}", methods: [GET] }
        policies:
          jwt: { issuers: [main] }
          authorize: { allow: "identity.subject == params.name" }
        respond: { status: 200, headers: { content-type: text/plain }, body: "Hello, I know you.\\n" }
`,
};
