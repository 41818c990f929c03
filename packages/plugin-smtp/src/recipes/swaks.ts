import { defineRecipe, quoteWord, type Recipe } from '@viassh/core';
import { relayCommand, relayOptions } from './relay-command.ts';

/** swaks has its --pipe on the command line, and a second one in a file would be in the way of all other servers. */
export const swaksRecipe: Recipe = defineRecipe({
  program: 'swaks',
  summary: 'swaks: the command ~/.local/bin/swaks-viassh, which gives it its --pipe',
  options: relayOptions,
  script(situation, options) {
    const command = relayCommand(situation, options);
    return `# swaks speaks with the SMTP server behind ${situation.destination} by a command of its own:
#   swaks-viassh --to somebody@example.org
mkdir -p "$HOME/.local/bin"
cat >"$HOME/.local/bin/swaks-viassh" <<'END'
#!/bin/sh
exec swaks --pipe ${quoteWord(command)} "$@"
END
chmod 755 "$HOME/.local/bin/swaks-viassh"
# ~/.local/bin has to be in PATH. To check, and send nothing: swaks-viassh --to somebody@example.org --quit-after EHLO
`;
  },
});
