/** Content-Length, which HTTP's framing holds the body to (RFC 9112 section 6.3). */
export const lengthOf = (headers: Headers): number | undefined => {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
};

/** Whether content is coded: gzip and its like (RFC 9110 section 8.4), which policies never undo. */
export const isCoded = (headers: Headers): boolean => {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  return coding !== "" && coding !== "identity";
};
