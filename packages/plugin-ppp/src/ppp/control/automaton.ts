/** What a protocol that negotiates is in (RFC 1661 §4.2). */
export type State =
  | 'initial'
  | 'starting'
  | 'closed'
  | 'stopped'
  | 'closing'
  | 'stopping'
  | 'req-sent'
  | 'ack-rcvd'
  | 'ack-sent'
  | 'opened';

/** What happens to it (§4.3), by the RFC's own names. */
export type Event =
  | 'Up'
  | 'Down'
  | 'Open'
  | 'Close'
  | 'TO+'
  | 'TO-'
  | 'RCR+'
  | 'RCR-'
  | 'RCA'
  | 'RCN'
  | 'RTR'
  | 'RTA'
  | 'RUC'
  | 'RXJ+'
  | 'RXJ-'
  | 'RXR';

/** What it does then (§4.4), by the RFC's own names. */
export type Action =
  | 'tlu'
  | 'tld'
  | 'tls'
  | 'tlf'
  | 'irc'
  | 'zrc'
  | 'scr'
  | 'sca'
  | 'scn'
  | 'str'
  | 'sta'
  | 'scj'
  | 'ser';

/** What to do, in order, and what it is in afterwards. */
export interface Transition {
  readonly actions: readonly Action[];
  readonly next: State;
}

/**
 * The table of RFC 1661 §4.1: a row for each event, a column for each state. `-` is what cannot
 * happen, and then nothing does. Of the RFC's choices the plain one is taken: no restart (r) and no passive stop (p).
 */
const TABLE = `
event initial starting  closed    stopped       closing stopping req-sent    ack-rcvd    ack-sent    opened
Up    closed  !req-sent -         -             -       -        -           -           -           -
Down  -       -         initial   tls/starting  initial starting starting    starting    starting    tld/starting
Open  tls/starting starting !req-sent stopped   stopping stopping req-sent   ack-rcvd    ack-sent    opened
Close initial tlf/initial closed  closed        closing closing  irc,str/closing irc,str/closing irc,str/closing tld,irc,str/closing
TO+   -       -         -         -             str/closing str/stopping scr/req-sent scr/req-sent scr/ack-sent -
TO-   -       -         -         -             tlf/closed tlf/stopped tlf/stopped tlf/stopped tlf/stopped -
RCR+  -       -         sta/closed irc,scr,sca/ack-sent closing stopping sca/ack-sent sca,tlu/opened sca/ack-sent tld,scr,sca/ack-sent
RCR-  -       -         sta/closed irc,scr,scn/req-sent closing stopping scn/req-sent scn/ack-rcvd scn/req-sent tld,scr,scn/req-sent
RCA   -       -         sta/closed sta/stopped  closing stopping irc/ack-rcvd scr/req-sent irc,tlu/opened tld,scr/req-sent
RCN   -       -         sta/closed sta/stopped  closing stopping !req-sent   scr/req-sent irc,scr/ack-sent tld,scr/req-sent
RTR   -       -         sta/closed sta/stopped  sta/closing sta/stopping sta/req-sent sta/req-sent sta/req-sent tld,zrc,sta/stopping
RTA   -       -         closed    stopped       tlf/closed tlf/stopped req-sent req-sent ack-sent tld,scr/req-sent
RUC   -       -         scj/closed scj/stopped  scj/closing scj/stopping scj/req-sent scj/ack-rcvd scj/ack-sent scj/opened
RXJ+  -       -         closed    stopped       closing stopping req-sent    req-sent    ack-sent    opened
RXJ-  -       -         tlf/closed tlf/stopped  tlf/closed tlf/stopped tlf/stopped tlf/stopped tlf/stopped tld,irc,str/stopping
RXR   -       -         closed    stopped       closing stopping req-sent    ack-rcvd    ack-sent    ser/opened
`.replaceAll('!', 'irc,scr/');

const transitions: ReadonlyMap<string, Transition> = readTable();

/** What the table says; undefined where it says that this cannot happen. */
export function transition(state: State, event: Event): Transition | undefined {
  return transitions.get(`${event} ${state}`);
}

function readTable(): Map<string, Transition> {
  const [head, ...rows] = TABLE.trim()
    .split('\n')
    .map((line) => line.split(/ +/));
  const cells = new Map<string, Transition>();
  for (const [event, ...row] of rows) {
    for (const [column, cell] of row.entries()) {
      if (cell === '-') continue;
      const [actions, next] = cell.includes('/') ? cell.split('/') : ['', cell];
      cells.set(`${event} ${head![column + 1]}`, {
        actions: actions === '' ? [] : (actions!.split(',') as Action[]),
        next: next as State,
      });
    }
  }
  return cells;
}
