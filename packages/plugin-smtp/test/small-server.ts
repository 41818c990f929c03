import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** What a {@link smallServer} heard. */
export interface Heard {
  readonly commands: string[];
  /** The content of each message as it came: lines joined by LF, dots still stuffed. */
  readonly messages: string[];
}

/** An SMTP server of a few lines: puts off `later…`, refuses `refused…`, hangs up in the middle of `cut…`. */
export function smallServer(
  heard: Heard,
  offers: readonly string[] = ['PIPELINING', '8BITMIME', 'DSN'],
): (client: Socket) => void {
  return (client) => {
    let content: string[] | undefined;
    client.write('220 small.example\r\n');
    const answers: readonly (readonly [RegExp, string])[] = [
      [
        /^EHLO/i,
        ['small.example', ...offers]
          .map((each, index, all) => `250${index === all.length - 1 ? ' ' : '-'}${each}`)
          .join('\r\n'),
      ],
      [/^MAIL FROM:<nobody/i, '550 5.7.1 not you'],
      [/^RCPT TO:<later/i, '450 4.2.1 not now'],
      [/^RCPT TO:<refused/i, '550 5.1.1 no such mailbox'],
      [/^DATA/i, '354 go on'],
      [/^QUIT/i, '221 bye'],
      [/./, '250 2.0.0 ok'],
    ];
    createInterface({ input: client }).on('line', (line) => {
      if (content !== undefined) {
        if (line !== '.') {
          content.push(line);
          return;
        }
        heard.messages.push(content.join('\n'));
        const cut = content.includes('X-Cut: yes');
        content = undefined;
        if (cut) client.destroy();
        else client.write(`250 2.0.0 queued as ${heard.messages.length}\r\n`);
        return;
      }
      heard.commands.push(line);
      client.write(`${answers.find(([command]) => command.test(line))?.[1]}\r\n`);
      if (/^DATA/i.test(line)) content = [];
      if (/^QUIT/i.test(line)) client.end();
    });
    client.on('end', () => client.end());
  };
}
