/**
 * The one place that knows how the page proves who it is and how it speaks HTTP.
 *
 * Today: the appliance's bearer token, kept for this browser tab. A session in a cookie needs changes in
 * `session` alone: `headers` and `streamUrl` then give nothing away.
 */

import { signal } from "@preact/signals";

const TOKEN_KEY = "thirdring.token";

/** A refusal of the appliance (RFC 9457); `code` never changes its meaning, 8000 is ours: no answer. */
export class Problem extends Error {
  constructor(
    readonly code: number,
    readonly title: string,
    readonly detail = "",
  ) {
    super(`${code}: ${title}${detail ? ` (${detail})` : ""}`);
  }
}

export const session = {
  signedIn: signal(sessionStorage.getItem(TOKEN_KEY) !== null),

  headers(): Record<string, string> {
    return { authorization: `Bearer ${sessionStorage.getItem(TOKEN_KEY) ?? ""}` };
  },

  streamUrl(after: number): string {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const token = encodeURIComponent(sessionStorage.getItem(TOKEN_KEY) ?? "");
    return `${scheme}://${location.host}/v1/events?after=${after}&token=${token}`;
  },

  /** Keep the token if the appliance knows it; throws `Problem` 6000 if not. */
  async signIn(token: string): Promise<void> {
    sessionStorage.setItem(TOKEN_KEY, token.trim());
    try {
      await request("GET", "/v1/state");
    } catch (reason) {
      sessionStorage.removeItem(TOKEN_KEY);
      throw reason;
    }
    session.signedIn.value = true;
  },

  signOut(): void {
    sessionStorage.removeItem(TOKEN_KEY);
    session.signedIn.value = false;
  },
};

async function request(method: string, path: string, body?: unknown, type = "application/json"): Promise<Response> {
  const headers = session.headers();
  if (body !== undefined) headers["content-type"] = type;
  const content = body === undefined ? null : type === "application/json" ? JSON.stringify(body) : String(body);
  let response: Response;
  try {
    response = await fetch(path, { method, headers, body: content, credentials: "same-origin" });
  } catch {
    throw new Problem(8000, "the appliance cannot be reached");
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { code?: number; title?: string; detail?: string };
  if (problem.code === 6000) session.signOut();
  throw new Problem(problem.code ?? 8002, problem.title ?? response.statusText, problem.detail ?? "");
}

export const api = {
  async get<T>(path: string, query: Record<string, string | number | boolean> = {}): Promise<T> {
    const text = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
    return (await request("GET", text ? `${path}?${text}` : path)).json() as Promise<T>;
  },
  async post<T>(path: string, body: unknown = {}): Promise<T> {
    return (await request("POST", path, body)).json() as Promise<T>;
  },
  async patch<T>(path: string, body: unknown): Promise<T> {
    return (await request("PATCH", path, body)).json() as Promise<T>;
  },
  async sendCsv<T>(path: string, text: string): Promise<T> {
    return (await request("POST", path, text, "text/csv")).json() as Promise<T>;
  },
  async blob(path: string): Promise<Blob> {
    return (await request("GET", path)).blob();
  },
};
