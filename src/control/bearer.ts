import { sameText } from "./same-text.ts";

/** Whether a request's Authorization field carries a token; never where there is none to compare with. */
export const isBearer = async (field: string | undefined, token: string | undefined): Promise<boolean> =>
  token !== undefined && token !== "" && (await sameText(field ?? "", `Bearer ${token}`));
