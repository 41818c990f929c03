import t from 'tap';
import { parseSettings } from '../src/parse-settings.ts';

t.test('names in lower case, values whole, repeated names in order', async (t) => {
  const settings = parseSettings('user bob\nIdentityFile ~/my keys/a\nidentityfile /b\nproxycommand nc  -X 5 %h\n');
  t.same(
    [...settings],
    [
      ['user', ['bob']],
      ['identityfile', ['~/my keys/a', '/b']],
      ['proxycommand', ['nc  -X 5 %h']],
    ],
  );
});

t.test('lines without a value say nothing', async (t) => {
  t.same([...parseSettings('\nlonely\n indented\n')], []);
});
