// For node's --import: the module that BREAK_IMPORT names throws when it is loaded, in the bundle as well.
import { registerHooks } from 'node:module';
import process from 'node:process';

const broken = process.env['BREAK_IMPORT'];
const bundled = `./${broken.replace('@viassh/', '')}.js`;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== broken && specifier !== bundled) return next(specifier, context);
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
