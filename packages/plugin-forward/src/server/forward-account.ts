import { type Account, defineAccount, ViasshError } from '@viassh/core';

const NOWHERE = 'localhost:1'; // port 1 is nobody's, and neither option can say "nothing"

/** A key that may forward ports and do nothing else: no shell, no file, no command of its own. */
export const forwardAccount: Account = defineAccount({
  program: 'forward',
  summary: 'a key that may forward ports, and nothing else',
  options: {
    open: {
      type: 'string',
      valueName: 'HOST:PORT,...',
      summary: 'where -L, -D and -W may go, as the clients name it; a PORT may be *',
    },
    listen: { type: 'string', valueName: '[HOST:]PORT,...', summary: 'where -R may listen; a PORT may be *' },
    keepAlive: {
      type: 'boolean',
      summary: 'the far end says the date every ten seconds to whoever waits for a command',
    },
    sleep: {
      type: 'string',
      valueName: 'TIME',
      summary: 'a plain ssh stays so long without a word, as sleep(1) has it: 2000d',
    },
  },
  lines: ({ open, listen, keepAlive, sleep }) => {
    const places = {
      open: placesOf('--open', open, /^(?:[\w.*-]+|\[[\w:.%]+\]):(?:\d{1,5}|\*)$/),
      listen: placesOf('--listen', listen, /^(?:(?:[\w.*-]+|\[[\w:.%]+\]):)?(?:\d{1,5}|\*)$/),
    };
    const limited = places.open.length + places.listen.length > 0;
    return {
      command: commandFor(keepAlive, sleep),
      permits: ['port-forwarding'],
      options: limited ? [...limits('permitopen', places.open), ...limits('permitlisten', places.listen)] : [],
      sshdConfig: [
        'AllowStreamLocalForwarding no',
        ...(places.listen.some(isWide) ? ['GatewayPorts clientspecified'] : []),
      ],
      notes: [
        ...(limited
          ? [
              'Clients have to name each place the same way: localhost and 127.0.0.1 are two.',
              'It takes OpenSSH 7.8 or newer here (permitlisten).',
            ]
          : [
              'Without --open and --listen the key may go wherever this machine can, and listen on any port of its own.',
            ]),
        'A password would go around it: PasswordAuthentication no, in sshd_config.',
        'Without the first line in sshd_config the key may also reach Unix sockets, and make them where the account may.',
        'Behind "Match User NAME" these lines are for this account alone.',
      ],
    };
  },
});

function limits(name: string, places: readonly string[]): string[] {
  return (places.length === 0 ? [NOWHERE] : places).map((place) => `${name}="${place}"`);
}

function commandFor(keepAlive: boolean, sleep: string | undefined): string {
  if (sleep === undefined) return keepAlive ? 'while :;do date;sleep 10;done' : '/bin/cat';
  if (keepAlive)
    throw new ViasshError('OPTION_INVALID', '--keep-alive and --sleep are two commands, and a key has one', {
      hint: 'leave one of them away',
    });
  if (/^\d{1,9}[smhd]?$/.test(sleep)) return `sleep ${sleep}`;
  throw new ViasshError('OPTION_INVALID', `--sleep: '${sleep}' is no time that sleep(1) takes`, {
    hint: 'a number with s, m, h or d behind it: 300, 2000d',
  });
}

function isWide(place: string): boolean {
  return place.includes(':') && !/^(?:localhost|127\.0\.0\.1|\[::1\]):/.test(place);
}

function placesOf(option: string, text: string | undefined, form: RegExp): readonly string[] {
  const places = text === undefined ? [] : text.split(',');
  const wrong = places.find((place) => !form.test(place) || Number(/\d+$/.exec(place)?.[0] ?? 0) > 65_535);
  if (wrong === undefined) return places;
  throw new ViasshError('OPTION_INVALID', `${option}: '${wrong}' is no place that authorized_keys can name`, {
    hint: option === '--open' ? 'db.example.org:5432,[::1]:80,localhost:*' : '8080,localhost:9030,*:9030',
  });
}
