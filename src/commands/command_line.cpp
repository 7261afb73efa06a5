#include "commands/command_line.h"

#include <CLI/CLI.hpp>

#include <cctype>
#include <iostream>
#include <iterator>
#include <sstream>

#include "base/version.h"
#include "commands/commands.h"
#include "commands/more_commands.h"
#include "commands/opened.h"
#include "commands/reference.h"

namespace basalt::commands {
namespace {

// As people hand words to a container: a command in one word ("migrate down"), and the program's own name before it.
std::vector<std::string> plain_words(int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (!words.empty() && words.front() == "basalt") words.erase(words.begin());
  if (words.empty() || words.front().starts_with("-") || words.front().find(' ') == std::string::npos) return words;
  std::istringstream in(words.front());
  std::vector<std::string> out{std::istream_iterator<std::string>(in), {}};
  out.insert(out.end(), words.begin() + 1, words.end());
  return out;
}

// Every command that touches the application database takes the same options, named as in the configuration file.
// Help of a command that only needs to find the data shows what says where that is; `basalt help serve` has all.
void add_options(CLI::App& app, std::map<std::string, std::string>& flags, bool show_all = false) {
  for (auto& option : startup::option_definitions()) {
    std::string names;
    for (auto& other : option.other_names) names += ", " + other;
    auto variable = startup::variable_of(option.name);
    bool shown = show_all || option.name == "data-dir" || option.name == "database-uri" || option.name == "config-file" || option.name == "encryption-secret-key";
    const char* group = shown ? "Configuration (all of it: basalt help serve)" : "";
    if (show_all) group = "Configuration";
    // What is off by default is switched on by its bare name; `--name=false` works too, and a word after it is not taken for its value.
    if (option.default_text == "false") {
      app.add_flag_function("--" + option.name + "{true}", [&flags, &app, name = option.name](std::int64_t) { flags[name] = app.get_option("--" + name)->results().back(); },
                            option.description + " [" + variable + names + "]")
          ->group(group);
      continue;
    }
    app.add_option_function<std::string>("--" + option.name, [&flags, name = option.name](const std::string& value) { flags[name] = value; },
                                         option.description + " [" + variable + names + "]")
        ->group(group)
        ->type_name(option.default_text.empty() ? "" : "=" + option.default_text);
  }
}

std::vector<std::string> words_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) if (!sub->get_group().empty()) out.push_back(sub->get_name());
  return out;
}

std::string path_of(const CLI::App& app) { return app.get_parent() ? path_of(*app.get_parent()) + " " + app.get_name() : "basalt"; }

// "there is no command "stauts" of basalt migrate; did you mean "status"?"
std::string no_such(const CLI::App& app, const std::string& word) {
  bool option = word.starts_with("-");
  std::vector<std::string> known;
  if (option) {
    for (auto* one : app.get_options()) for (auto& name : one->get_lnames()) known.push_back("--" + name);
  } else {
    known = words_of(app);
  }
  auto bare = word.substr(0, word.find('='));
  auto near = nearest(bare, known);
  auto help = path_of(app).substr(6);
  return std::string(option ? "there is no option \"" : known.empty() ? "nobody expects \"" : "there is no command \"") + bare + "\"" + (app.get_parent() ? " of " + path_of(app) : std::string()) +
         (near ? "; did you mean \"" + *near + "\"?" : ".") + " `basalt help" + help + "` shows what there is.";
}

// About the first word that nobody knows; empty when all are known and something else was wrong.
std::string unknown_word(const CLI::App& app) {
  const CLI::App* at = &app;
  for (;;) {
    auto chosen = at->get_subcommands();
    if (chosen.empty()) break;
    at = chosen.back();
  }
  for (; at; at = at->get_parent()) {
    auto rest = at->remaining();
    if (!rest.empty()) return no_such(*at, rest.front());
  }
  return "";
}

}  // namespace

int run_command_line(int argc, char** argv, const std::vector<migrations::Migration>& migrations) {
  CLI::App app{"Basalt " + version() + ": a business-intelligence server. Without a command it serves."};
  app.name("basalt");
  app.set_version_flag("--version", "basalt " + version());
  app.require_subcommand(0, 1);
  app.fallthrough(false);

  Options options;
  std::function<int()> chosen;
  auto command = [&](CLI::App& parent, const std::string& name, const std::string& description, std::function<int()> action) {
    auto* sub = parent.add_subcommand(name, description);
    // The innermost comes first: `launch status` is not `launch`.
    sub->callback([&chosen, action = std::move(action)] {
      if (!chosen) chosen = action;
    });
    return sub;
  };
  auto in_force = [&] { return startup::read_config(options.flags, startup::process_environment()); };
  auto with_options = [&](CLI::App* sub) { add_options(*sub, options.flags); return sub; };
  auto with_json = [&](CLI::App* sub) { sub->add_flag("--json", options.json, "Print JSON."); return sub; };

  add_options(*command(app, "serve", "Serve the web app and the API (the default).", [&] { return serve(in_force(), migrations); }), options.flags, true);

  auto* launched = command(app, "launch", "Serve beneath a launcher: it keeps the port, starts the server again when it dies, and replaces it without a connection refused.", [&] { return launch_server(in_force()); });
  add_options(*launched, options.flags, true);
  launched->require_subcommand(0, 1);
  with_json(with_options(command(*launched, "status", "What the launcher that runs here does.", [&] { return launcher_status(in_force(), options); })));
  with_json(with_options(command(*launched, "swap", "Let a new server process take the place of the one that serves; the same as SIGHUP to the launcher.", [&] { return launcher_swap(in_force(), options); })));

  constexpr const char* exit_codes = "Exit codes: 0 done, 10 nothing to do, 20 blocked and unchanged, 30 failed and rolled back cleanly, 40 needs a person.";
  auto add_status = [&](CLI::App& parent) {
    with_json(with_options(command(parent, "status", "Schema, level, what waits, nodes, who holds the lock, parked values, history.", [&] { return migrate_status(in_force(), migrations, options); })));
  };
  auto add_plan = [&](CLI::App& parent) {
    auto* plan = with_json(with_options(command(parent, "plan", "What an upgrade would do, to whom and for how long; changes not a byte.", [&] { return migrate_plan(in_force(), migrations, options); })));
    auto* to = plan->add_option("--to", options.to_schema, "Plan the way to this schema instead, up or down.")->type_name("N");
    plan->add_option("--to-version", options.to_version, "Plan the way to what this version of Basalt needs.")->type_name("V")->excludes(to);
    plan->add_flag("--rehearse", options.rehearse, "Make a backup, migrate it in scratch for real, and tell the time that took.");
    plan->footer("Exit codes: 0 it can be done, 10 nothing to do, 20 blocked.");
  };
  auto add_finalize = [&](CLI::App& parent) {
    with_json(with_options(command(parent, "finalize", "Put into effect what an upgrade put off while older nodes were serving.", [&] { return migrate_finalize(in_force(), migrations, options); })))->footer(exit_codes);
  };
  auto* migrate = app.add_subcommand("migrate", "Look at and change the schema of the application database.");
  migrate->require_subcommand(1);
  migrate->footer(exit_codes);
  add_status(*migrate);
  add_plan(*migrate);
  with_json(with_options(command(*migrate, "up", "Bring the data to this version's schema, after a verified backup and a rehearsal.", [&] { return migrate_up(in_force(), migrations, options); })))->footer(exit_codes);
  auto* down = with_json(with_options(command(*migrate, "down", "Step the schema down; what the older one cannot hold is parked, not lost.", [&] { return migrate_down(in_force(), migrations, options); })));
  auto* to = down->add_option("--to", options.to_schema, "The schema to step down to; without one, to where it was before the last upgrade.")->type_name("N");
  down->add_option("--to-version", options.to_version, "The version of Basalt to step down for, e.g. 0.1.0.")->type_name("V")->excludes(to);
  down->footer(exit_codes);
  add_finalize(*migrate);
  with_json(with_options(command(*migrate, "release-locks", "Clear what a process that is provably gone left of the upgrade lock. No start needs this.", [&] { return migrate_release_locks(in_force(), migrations, options); })));
  with_json(with_options(command(*migrate, "fingerprint", "Numbers that are equal for equal content: one for each table and one for all.", [&] { return migrate_fingerprint(in_force(), migrations, options); })));

  add_fleet_commands(app, chosen);
  add_release_commands(app, chosen);

  auto* upgrade = app.add_subcommand("upgrade", "Another version of Basalt: what there is, trying it, going back.");
  upgrade->require_subcommand(1);
  upgrade->footer(exit_codes);
  with_json(with_options(command(*upgrade, "check", "Ask the release feed for a newer version, and say when it is due here.", [&] { return upgrade_check(in_force(), options); })))->footer("Exit codes: 0 there is one, 10 there is none.");
  add_plan(*upgrade);
  auto* apply = with_json(with_options(command(*upgrade, "apply", "Fetch a version, check it, try it beside the one that serves, and let it take over when it is as good; else the old one goes on.", [&] { return upgrade_apply(in_force(), options); })));
  apply->add_option("version", options.version, "The version, e.g. 0.2.0; without one, the newest that is due here.");
  apply->add_flag("--now", options.now, "Whatever speaks against it but a signature: its turn has not come, upgrades are on hold, it failed here before.");
  apply->add_option("--bundle", options.bundle, "Take it from this file instead of the release feed, for hosts without a network.")->type_name("FILE");
  apply->footer(exit_codes);
  with_json(with_options(command(*upgrade, "status", "Versions on this host, the trial, holds; then schema, nodes, lock, parked values and history as `migrate status` has them.", [&] { return upgrade_status(in_force(), migrations, options); })));
  auto* held = with_json(with_options(command(*upgrade, "hold", "No upgrades until further notice, or until a day.", [&] { return upgrade_hold(in_force(), options); })));
  held->add_option("--until", options.until, "The end of it: 2026-12-24 or 2026-12-24T18:00Z.")->type_name("TIME");
  held->add_option("--why", options.why, "A word on why, for the others.");
  held->add_flag("--off", options.off, "Lift it.");
  with_json(with_options(command(*upgrade, "finalize", "Put into effect what an upgrade put off while older nodes were serving.", [&] { return upgrade_finalize(in_force(), migrations, options); })))->footer(exit_codes);
  with_json(with_options(command(*upgrade, "rollback", "Go back to the version before; what people made since stays.", [&] { return upgrade_rollback(in_force(), options); })))->footer(exit_codes);

  auto* backup = app.add_subcommand("backup", "Make, verify and list backups of the application database.");
  backup->require_subcommand(1);
  auto* create = with_json(with_options(command(*backup, "create", "Make a backup and verify it.", [&] { return backup_create(in_force(), migrations, options); })));
  create->add_option("--reason", options.reason, "A word on why, kept in the backup.");
  auto* verify = with_json(with_options(command(*backup, "verify", "Restore a backup into scratch and compare it with what it says of itself.", [&] { return backup_verify(in_force(), migrations, options); })));
  verify->add_option("file", options.file, "The backup file; without one, the newest.");
  auto* drilled = with_json(with_options(command(*backup, "drill", "Restore a backup into a directory of its own and start this program on it: does it bring the server back?", [&] { return backup_drill(in_force(), migrations, options); })));
  drilled->add_option("file", options.file, "The backup file; without one, the newest.");
  auto* replaced = with_json(with_options(command(*backup, "replaced", "The data that restores and upgrades put aside.", [&] { return backup_replaced(in_force(), migrations, options); })));
  replaced->add_option("--delete", options.delete_name, "Delete the one of this name, for good.");
  with_json(with_options(command(*backup, "list", "The backups in the data directory, newest first.", [&] { return backup_list(in_force(), migrations, options); })));

  auto* restore = with_json(with_options(command(app, "restore", "Replace the application database by a backup; the replaced data is kept.", [&] { return restore_backup(in_force(), migrations, options); })));
  restore->add_option("file", options.file, "The backup file.")->required();
  auto* move = with_json(with_options(command(app, "move", "Copy the application database into an empty one of the other engine or elsewhere; this one stays as it is.", [&] { return move_data(in_force(), migrations, options); })));
  move->add_option("--to", options.move_to, "postgres://user@host/database, sqlite:FILE, or a directory.")->required();
  // A passphrase on the command line would be seen by everybody who lists processes.
  for (auto* sub : {create, verify, drilled, restore})
    sub->add_option_function<std::string>("--passphrase-file", [&](const std::string& path) { options.flags["backup-passphrase"] = startup::secret_in_file(path, "--passphrase-file"); }, "File with the passphrase of encrypted backups.");

  auto* parked = app.add_subcommand("parked", "Values that an older schema could not hold.");
  parked->require_subcommand(1);
  auto* listed = with_json(with_options(command(*parked, "list", "Parked values, oldest first.", [&] { return parked_list(in_force(), migrations, options); })));
  listed->add_option("--table", options.table, "Only those of this table.")->type_name("TABLE");
  listed->add_option("--state", options.state, "Only those that are parked, superseded (somebody edited their place), orphan (their row is gone), returned or taken.")->type_name("STATE");
  listed->add_option("--limit", options.limit, "At most so many; 100 when not given.")->type_name("N");
  auto* show = with_json(with_options(command(*parked, "show", "One parked value, whole.", [&] { return parked_show(in_force(), migrations, options); })));
  show->add_option("id", options.id, "Its number in the list.")->required();
  auto* take = with_json(with_options(command(*parked, "take", "Write a parked value over what is there now.", [&] { return parked_take(in_force(), migrations, options); })));
  take->add_option("id", options.id, "Its number in the list.")->required();
  auto* untake = with_json(with_options(command(*parked, "untake", "Take a take back: what was there before is there again.", [&] { return parked_untake(in_force(), migrations, options); })));
  untake->add_option("id", options.id, "Its number in the list.")->required();

  auto* reset = with_options(command(app, "reset-password", "Print a token with which a person sets a new password.", [&] { return reset_password(in_force(), migrations, options); }));
  reset->add_option("email", options.email, "The person's e-mail address.")->required();

  with_json(with_options(command(app, "doctor", "What is in force and where it came from, and whether all is well.", [&] { return doctor(in_force(), migrations, options); })));
  auto* health_of = with_options(command(app, "health", "Ask the server of this configuration, on this host, how it is.", [&] { return health(in_force(), migrations, options); }));
  health_of->add_flag("--live", options.live, "Only whether the process lives: an upgrade that is under way is no illness.");
  health_of->add_option("--wait", options.wait_seconds, "Ask again for so long, and longer while an upgrade moves.")->type_name("SECONDS");
  health_of->footer("Exit codes: 0 it is well, 1 it is not.");
  command(app, "version", "Print the version.", [] { std::cout << "basalt " << version() << "\n"; return 0; });
  auto* help = command(app, "help", "Print help for a command.", [&] {
    auto* about = &app;
    if (options.words.size() == 1 && (options.words[0] == "configuration" || options.words[0] == "commands")) {
      bool configuration = options.words[0] == "configuration";
      if (options.json && configuration) print(configuration_json());
      else std::cout << (options.markdown ? configuration ? configuration_markdown() : commands_markdown(app) : configuration ? configuration_text() : commands_text(app));
      return 0;
    }
    for (auto& word : options.words) {
      CLI::App* next = nullptr;
      for (auto* candidate : about->get_subcommands([](CLI::App*) { return true; })) if (candidate->get_name() == word) next = candidate;
      if (!next) {
        std::cerr << "basalt: " << no_such(*about, word) << "\n";
        return static_cast<int>(usage);
      }
      about = next;
    }
    std::cout << about->help();
    return 0;
  });
  help->add_option("command", options.words, "The command; or `configuration` for all options, `commands` for all commands.");
  with_json(help)->add_flag("--markdown", options.markdown, "Print these two as a page of the documentation.");
  auto* sample = command(app, "make-sample-database", "Write the sample database to a file (used by the server).", [&] { return make_sample_database(options); });
  sample->add_option("file", options.file)->required();
  sample->group("");
  // Options of `serve` may stand without the word: `basalt --port 8080`.
  add_options(app, options.flags);

  try {
    auto words = plain_words(argc, argv);
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(std::move(words));
    if (!chosen) chosen = [&] { return serve(in_force(), migrations); };
    return chosen();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0)
      if (auto sentence = unknown_word(app); !sentence.empty()) {
        std::cerr << "basalt: " << sentence << "\n";
        return usage;
      }
    int code = app.exit(error);
    return code == 0 ? 0 : usage;
  } catch (const Failure& failure) {
    std::cerr << "basalt: " << failure.sentence() << "\n";
    return failed;
  } catch (const std::exception& error) {
    std::cerr << "basalt: something went wrong that should not: " << error.what() << "\n";
    return failed;
  }
}

}  // namespace basalt::commands
