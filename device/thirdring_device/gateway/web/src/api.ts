/**
 * The one place that knows how the page proves who it is and how it speaks HTTP.
 *
 * Usually by a session: the browser keeps its cookie, which no script can read, and this module the token
 * against forged requests. A screen on the wall may use an API token instead, kept for its browser tab.
 */

import { computed, signal } from "@preact/signals";

import type { Role, SessionView } from "./types";

const TOKEN_KEY = "thirdring.token";
const ROLES: Role[] = ["agent", "lead", "technician"];

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

/** Who is signed in; null: nobody, undefined: not known yet. */
const who = signal<SessionView | null | undefined>(undefined);

export const session = {
  who,
  signedIn: computed(() => Boolean(who.value && !who.value.must_change_password)),

  /** Whether the role suffices for what `needed` may do. */
  may(needed: Role): boolean {
    return ROLES.indexOf(who.value?.role ?? "agent") >= ROLES.indexOf(needed);
  },

  streamUrl(after: number): string {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const token = sessionStorage.getItem(TOKEN_KEY);
    return `${scheme}://${location.host}/v1/events?after=${after}${token ? `&token=${encodeURIComponent(token)}` : ""}`;
  },

  /** Find out whether somebody is signed in already. */
  async recall(): Promise<void> {
    try {
      who.value = await api.get<SessionView>("/v1/session");
    } catch (reason) {
      if (reason instanceof Problem && reason.code === 6000) who.value = null;
      else throw reason;
    }
  },

  async signIn(role: Role, password: string): Promise<void> {
    sessionStorage.removeItem(TOKEN_KEY);
    who.value = await api.post<SessionView>("/v1/session", { role, password });
  },

  async signInByToken(token: string): Promise<void> {
    sessionStorage.setItem(TOKEN_KEY, token.trim());
    try {
      who.value = await api.get<SessionView>("/v1/session");
    } catch (reason) {
      sessionStorage.removeItem(TOKEN_KEY);
      throw reason;
    }
  },

  async changePassword(old: string, fresh: string): Promise<void> {
    who.value = await api.put<SessionView>("/v1/session/password", { old, new: fresh });
  },

  async signOut(): Promise<void> {
    if (who.value?.kind === "session") await request("DELETE", "/v1/session").catch(() => undefined);
    sessionStorage.removeItem(TOKEN_KEY);
    who.value = null;
  },
};

function identity(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  if (token) return { authorization: `Bearer ${token}` };
  return who.peek()?.csrf_token ? { "x-csrf-token": who.peek()?.csrf_token ?? "" } : {};
}

async function request(method: string, path: string, body?: unknown, type = "application/json", ifMatch = ""): Promise<Response> {
  const headers = identity();
  if (body !== undefined) headers["content-type"] = type;
  if (ifMatch) headers["if-match"] = ifMatch;
  const content = body === undefined ? null : body instanceof Blob ? body : type === "application/json" ? JSON.stringify(body) : String(body);
  let response: Response;
  try {
    response = await fetch(path, { method, headers, body: content, credentials: "same-origin" });
  } catch {
    throw new Problem(8000, "the appliance cannot be reached");
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { code?: number; title?: string; detail?: string };
  if (problem.code === 6000 && who.peek()) {
    sessionStorage.removeItem(TOKEN_KEY);
    who.value = null;
  }
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
  async put<T>(path: string, body: unknown): Promise<T> {
    return (await request("PUT", path, body)).json() as Promise<T>;
  },
  /** With `ifMatch`, the ETag that was read, nothing is changed that has become another meanwhile. */
  async patch<T>(path: string, body: unknown, ifMatch = ""): Promise<T> {
    return (await request("PATCH", path, body, "application/json", ifMatch)).json() as Promise<T>;
  },
  async send(method: "PUT" | "DELETE", path: string, body?: unknown): Promise<void> {
    await request(method, path, body);
  },
  async sendCsv<T>(path: string, text: string): Promise<T> {
    return (await request("POST", path, text, "text/csv")).json() as Promise<T>;
  },
  async sendFile<T>(path: string, file: Blob): Promise<T> {
    return (await request("PUT", path, file, "application/octet-stream")).json() as Promise<T>;
  },
  async blob(path: string): Promise<Blob> {
    return (await request("GET", path)).blob();
  },
};
