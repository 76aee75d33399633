/** What credentials are called in queries; compared with the name in lower case, without hyphens, underscores and dots. */
const CREDENTIAL =
  /token|secret|passw|signature|credential|session|authori[sz]|jwt|key$|^(?:auth|code|sig|pwd|pass|otp|pin|state|nonce)$/;

/** Whether a query parameter's name sounds like that of a credential, whose value logs never hold. */
export const isCredentialParameter = (name: string): boolean =>
  CREDENTIAL.test(name.toLowerCase().replace(/[-_.]/g, ""));
