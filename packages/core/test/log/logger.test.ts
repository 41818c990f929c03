import t from 'tap';
import { createLogger, type LogLevel, silentLogger } from '@viassh/core';

function linesAt(level: LogLevel): string[] {
  const lines: string[] = [];
  const log = createLogger(level, (own, message) => lines.push(`${own}: ${message}`));
  log.error('1');
  log.warning('2');
  log.info('3');
  log.debug('4');
  return lines;
}

t.test('each level lets through itself and what is more important', async (t) => {
  const all = ['error: 1', 'warning: 2', 'info: 3', 'debug: 4'];
  t.same(linesAt('quiet'), []);
  t.same(linesAt('error'), all.slice(0, 1));
  t.same(linesAt('warning'), all.slice(0, 2));
  t.same(linesAt('info'), all.slice(0, 3));
  t.same(linesAt('debug'), all);
});

t.test('the silent logger takes everything', async (t) => {
  t.doesNotThrow(() => silentLogger.error('x'));
});
