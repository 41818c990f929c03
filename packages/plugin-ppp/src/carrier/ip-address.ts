/** 4 or 6 for an address in its usual text form, without a zone; undefined for anything else. */
export function familyOf(text: string): 4 | 6 | undefined {
  if (/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)) return 4;
  return text.includes(':') && /^[\da-f:.]{2,45}$/i.test(text) && URL.canParse(`http://[${text}]/`) ? 6 : undefined;
}

/** The one form of an address that is written in many. */
export function canonical(address: string): string {
  return familyOf(address) === 6 ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}
