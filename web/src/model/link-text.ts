// The token in a link that somebody pasted.

const TOKEN = /^[\x21-\x7e]+$/;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** From a whole link, its fragment, or the token alone; null where there is none. */
export function tokenOf(text: string): string | null {
  const trimmed = text.trim();
  const hash = trimmed.indexOf("#");
  const token = hash === -1 ? trimmed : new URLSearchParams(trimmed.slice(hash + 1)).get("token");
  if (token === null || !TOKEN.test(token)) {
    return null;
  }
  return hash !== -1 || JWT.test(token) ? token : null;
}
