// The manual page and the completion for bash, from what the program says of itself.
// Usage: node manual.mjs PROGRAM PAGE COMPLETION EPOCH
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";

const [program, page, completion, epoch] = process.argv.slice(2);

function help(words) {
  const asked = spawnSync(program, words.length ? ["help", ...words] : ["--help"], { encoding: "utf8", env: { PATH: process.env.PATH, BASALT_DATA_DIR: "./basalt-data" } });
  if (asked.status !== 0) throw new Error(`help of "${words.join(" ")}" failed: ${asked.stderr}`);
  return asked.stdout;
}

// "Subcommands:" of a help text: names and their sentences.
function commands_in(text) {
  const found = [];
  const part = text.split(/^Subcommands:\n/m)[1] ?? "";
  for (const line of part.split("\n")) {
    const match = /^ {2}([a-z][a-z-]*)(?: +(.*))?$/.exec(line);
    if (match) found.push({ name: match[1], about: match[2] ?? "" });
    else if (found.length && /^ {10,}\S/.test(line)) found.at(-1).about += " " + line.trim();
    else if (!line.trim()) break;
  }
  return found;
}
const options_in = (text) => [...new Set(text.match(/(?<=^ {2}(?:-\w,)?)--[a-z][a-z-]*/gm) ?? [])];

function tree(words = []) {
  const text = help(words);
  const below = words.length < 2 ? commands_in(text).filter(({ name }) => name !== "help") : [];
  return { words, text, options: options_in(text), below: below.map(({ name, about }) => ({ about, ...tree([...words, name]) })) };
}
const top = tree();
const all = (node) => [node, ...node.below.flatMap(all)];

const roff = (text) => text.replace(/\\/g, "\\e").replace(/-/g, "\\-").replace(/^([.'])/gm, "\\&$1");
const date = new Date(Number(epoch) * 1000).toISOString().slice(0, 10);
let out = `.TH BASALT 1 "${date}" "Basalt" "User commands"\n.SH NAME\nbasalt \\- business\\-intelligence server\n`;
out += ".SH SYNOPSIS\n.B basalt\n[\\fIcommand\\fR] [\\fIoptions\\fR]\n";
out += ".SH DESCRIPTION\nServes a web app and an HTTP API with which people ask questions of databases and share the answers on dashboards. Without a\ncommand it serves. Every option has a flag, an environment variable and a key in the configuration file, the first given counts.\n";
for (const node of all(top).slice(1)) {
  out += `.SH ${roff(`basalt ${node.words.join(" ")}`).toUpperCase()}\n.nf\n${roff(node.text.trim())}\n.fi\n`;
}
out += ".SH FILES\n.TP\n.I /etc/basalt/basalt.env\nConfiguration of the service.\n.TP\n.I /var/lib/basalt\nThe data of the service: the embedded application database and the backups.\n";
out += ".SH SEE ALSO\nbasalt\\-as\\-service, run as root: does a command with the user and the configuration of the service.\n";
writeFileSync(page, out);

let script = "# Completion of basalt for bash.\n_basalt() {\n  local word=${COMP_WORDS[COMP_CWORD]} path=\"\" at choices\n  for at in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do [[ $at == -* ]] || path+=\" $at\"; done\n  case \"$path\" in\n";
for (const node of all(top).sort((a, b) => b.words.length - a.words.length)) {
  const prefix = node.words.map((word) => ` ${word}`).join("");
  const help_word = node.words.length === 0 ? ["help"] : [];
  script += `    "${prefix}"${node.words.length ? "*" : ""}) choices="${[...node.below.map((one) => one.words.at(-1)), ...help_word, ...node.options].join(" ")}" ;;\n`;
}
script += "  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n  [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n}\ncomplete -F _basalt basalt basalt-as-service\n";
writeFileSync(completion, script);
