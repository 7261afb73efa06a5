// The pages under docs/reference that are made from the program. `say(words)`: what `basalt WORDS` prints.
export function generated(say) {
  const configuration = `# Configuration reference

Made by \`basalt help configuration --markdown\`; [configuration](../configuration.md) tells how the three ways of setting an option go
together. An option marked *Secret* is never shown, and may stand in a file that \`…_FILE\` names.

${say(["help", "configuration", "--markdown"])}`;
  const commands = `# Command reference

Made by \`basalt help commands --markdown\`. Where it says \`[configuration]\`, a command takes every [option of the configuration](configuration.md),
and reads the same variables and the same file as the server: run it with the server's settings. Most commands have \`--json\`.

${say(["help", "commands", "--markdown"])}`;
  return { "docs/reference/configuration.md": configuration, "docs/reference/commands.md": commands };
}
