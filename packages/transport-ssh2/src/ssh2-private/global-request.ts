import type { Client } from 'ssh2';
import { channelTable } from './channel-table.ts';
import { type Field, message, sendMessage } from './payload.ts';

/** `data` is undefined when the server refused. */
export type GlobalReply = (data: Buffer | undefined) => void;

/**
 * Sends a global request (RFC 4254 §4). Replies come in the order of the requests, those to ssh2's own keepalives among
 * them: all wait in ssh2's one row. `onReply` is called synchronously, and not at all when the connection ends before.
 */
export function sendGlobalRequest(client: Client, name: string, fields: readonly Field[], onReply: GlobalReply): void {
  if (!channelTable(client).live) return;
  const { _callbacks: row } = client as unknown as Inside;
  row.push((failed, data) => {
    if (failed === false) onReply(data ?? Buffer.alloc(0));
    else if (failed === true) onReply(undefined);
  });
  sendMessage(client, message.globalRequest, name, true, ...fields);
}

interface Inside {
  /** Called with false and the data, true when refused, an Error when the connection ended. */
  readonly _callbacks: ((failed: boolean | Error, data?: Buffer | null) => void)[];
}
