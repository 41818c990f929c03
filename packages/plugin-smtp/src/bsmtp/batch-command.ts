import type { EnvelopeRecipient } from '../dialogue/delivery.ts';

/** One line of a batch outside of a message. */
export type BatchCommand =
  | { readonly kind: 'hello'; readonly name: string }
  | ({ readonly kind: 'mail' | 'rcpt' } & EnvelopeRecipient)
  | { readonly kind: 'data' | 'rset' | 'noop' | 'quit' };

/** Reads a line without its end; `undefined` for one that a batch cannot have. Verbs and parameters in any case. */
export function parseBatchCommand(line: Buffer): BatchCommand | undefined {
  const text = decode(line);
  if (text === undefined || /[\p{Cc}]/u.test(text)) return undefined;
  const simple = /^(data|rset|quit|noop)(?: .*)?$/i.exec(text.trimEnd())?.[1]?.toLowerCase();
  if (simple !== undefined) return { kind: simple as 'data' | 'rset' | 'quit' | 'noop' };
  const name = /^(?:helo|ehlo) +(\S+)\s*$/i.exec(text)?.[1];
  if (name !== undefined) return { kind: 'hello', name };
  const [, verb, path, rest = ''] =
    /^(mail from|rcpt to): *<((?:"(?:[^"\\]|\\.)*"|[^"<>])*)>((?: +[^\s]+)*) *$/iu.exec(text) ?? [];
  if (verb === undefined || path === undefined) return undefined;
  const parameters = rest.split(' ').filter((word) => word !== '');
  return { kind: /^mail/i.test(verb) ? 'mail' : 'rcpt', address: path, parameters };
}

function decode(line: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line); // RFC 6531 §3.3: addresses are UTF-8
  } catch {
    return undefined;
  }
}
