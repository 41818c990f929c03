// For node's --import: the module that BREAK_IMPORT names throws when it is loaded.
import { registerHooks } from 'node:module';
import process from 'node:process';

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== process.env['BREAK_IMPORT']) return next(specifier, context);
    return { url: 'viassh-test:broken', format: 'module', shortCircuit: true };
  },
  load(url, context, next) {
    if (url !== 'viassh-test:broken') return next(url, context);
    return {
      format: 'module',
      source: `throw new Error('broken on purpose'); export default undefined;`,
      shortCircuit: true,
    };
  },
});
