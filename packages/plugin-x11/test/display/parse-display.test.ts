import t from 'tap';
import { parseDisplay } from '../../src/display/parse-display.ts';

const read: Readonly<Record<string, object>> = {
  ':0': { kind: 'local', number: 0, screen: 0 },
  ':0.1': { kind: 'local', number: 0, screen: 1 },
  'unix:3': { kind: 'local', number: 3, screen: 0 },
  'unix/:3': { kind: 'local', number: 3 },
  'local/somehost:3': { kind: 'local', number: 3 },
  'somehost/unix:12.1': { kind: 'local', number: 12, screen: 1 },
  'host:10': { kind: 'tcp', host: 'host', number: 10, screen: 0 },
  'localhost:10.0': { kind: 'tcp', host: 'localhost', number: 10, screen: 0 },
  'tcp/host.example.org:10.2': { kind: 'tcp', host: 'host.example.org', number: 10, screen: 2 },
  'inet6/::1:4': { kind: 'tcp', host: '::1', number: 4 },
  '[::1]:10.2': { kind: 'tcp', host: '::1', number: 10, screen: 2 },
  '192.0.2.7:0': { kind: 'tcp', host: '192.0.2.7', number: 0 },
  '/private/tmp/com.apple.launchd.Xy/org.xquartz:0': {
    kind: 'path',
    number: 0,
    screen: 0,
    paths: ['/private/tmp/com.apple.launchd.Xy/org.xquartz:0'],
  },
  '/run/display:7.1': { kind: 'path', number: 7, screen: 1, paths: ['/run/display:7.1', '/run/display:7'] },
  'unix:/run/display': { kind: 'path', number: 0, screen: 0, paths: ['/run/display'] },
};

for (const [text, expected] of Object.entries(read))
  t.test(`the display ${text} is read`, async (t) => {
    t.match(parseDisplay(text), { text, ...expected });
  });

t.test('what is no display: refused, with what to write', async (t) => {
  const bad = ['', '0', 'host', ':', ':x', ':0.', ':0.x', ':-1', ':99999', ':0.256', 'host::0', '[host]:0', '[::1:0'];
  for (const text of [
    ...bad,
    'a b:0',
    ':0\n',
    '\0/tmp/.X11-unix/X0',
    'tcp/:0',
    '::0',
    'a/b:0',
    `${'a'.repeat(2000)}:0`,
  ])
    t.throws(() => parseDisplay(text), { code: 'DISPLAY_UNUSABLE', hint: /./ }, JSON.stringify(text));
});
