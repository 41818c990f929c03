/** Which family an address in text is of, and how it is written usually; undefined for what is none. */
export function parseIp(text: string): { readonly family: 4 | 6; readonly text: string } | undefined {
  if (/^(?:\d{1,3}\.){3}\d{1,3}$/.test(text)) {
    const parts = text.split('.').map(Number);
    return parts.every((part) => part <= 255) ? { family: 4, text: parts.join('.') } : undefined;
  }
  if (!/^[\da-fA-F:.]+$/.test(text) || !text.includes(':')) return undefined;
  try {
    // The URL standard's reader of IPv6: RFC 4291 §2.2, written as RFC 5952 wants it.
    return { family: 6, text: new URL(`http://[${text}]/`).hostname.slice(1, -1) };
  } catch {
    return undefined;
  }
}

/** Bits of a whole address. */
export const fullPrefix: Readonly<Record<4 | 6, number>> = { 4: 32, 6: 128 };
