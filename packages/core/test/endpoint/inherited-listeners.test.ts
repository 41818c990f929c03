import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import t from 'tap';
import { scratchFolder } from '../scratch-folder.ts';

/** Listens on a Unix socket and on a port of loopback, as descriptors 3 and 4, and becomes the program: as systemd does. */
const ACTIVATE = `use Socket; $^F = 9; my $path = shift;
socket(A, AF_UNIX, SOCK_STREAM, 0) && bind(A, pack_sockaddr_un($path)) && listen(A, 5) or die;
socket(B, AF_INET, SOCK_STREAM, 0) && bind(B, pack_sockaddr_in(0, INADDR_LOOPBACK)) && listen(B, 5) or die;
exec @ARGV or die`;

async function heardFrom(where: NetConnectOpts): Promise<string> {
  let text = '';
  for await (const chunk of connect(where)) text += String(chunk);
  return text;
}

t.test('places that were listened on before are used, given back, and stay', async (t) => {
  const path = join(await scratchFolder(t), 'a.sock');
  const program = [process.execPath, '--conditions=@viassh/source', join(import.meta.dirname, 'inherited-child.ts')];
  const child = spawn('perl', ['-e', ACTIVATE, path, ...program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill();
    await ended;
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  t.match(JSON.parse(String(line)), [`unix:${path}`, /^tcp:127\.0\.0\.1:[1-9]\d*$/]);
  t.equal(await heardFrom({ path }), 'one\n');
  t.equal(await heardFrom({ path }), 'two\n', 'one who comes while nobody has the place waits');
  t.same(await ended, [0, null], 'what nobody serves keeps no process alive');
  t.ok((await stat(path)).isSocket());
});
