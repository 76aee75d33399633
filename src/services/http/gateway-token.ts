import { jwtVerify } from "jose";
import { CLOCK_SKEW_SECONDS, type GatewayProof } from "./gateway.ts";

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE = ["GET", "HEAD", "OPTIONS"];

/**
 * A request proves the gateway by a token (RFC 7519) in `x-gateway-token` that is signed with HS256 and made for this
 * service. It names the gateway's route: what changes something is done for the route of that very operation only, so that
 * a token that somebody got hold of on its way to a reading one changes nothing. What only reads may be asked by any route.
 */
export const byToken =
  (gateway: string, service: string): GatewayProof["holds"] =>
  async (request, key, operation) => {
    const token = request.headers.get("x-gateway-token");
    if (token === null) return false;
    try {
      const { payload } = await jwtVerify(token, new TextEncoder().encode(key), {
        algorithms: ["HS256"],
        typ: "postern+jwt",
        issuer: gateway,
        audience: service,
        requiredClaims: ["exp"],
        maxTokenAge: "5m",
        clockTolerance: CLOCK_SKEW_SECONDS,
      });
      const isOwnRoute = payload["route"] === `${service}.${operation}`;
      return isOwnRoute || operation === undefined || SAFE.includes(request.method);
    } catch {
      return false;
    }
  };
