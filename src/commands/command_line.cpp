#include "commands/command_line.h"

#include <CLI/CLI.hpp>

#include <cctype>
#include <iostream>

#include "base/version.h"
#include "commands/commands.h"

namespace basalt::commands {
namespace {

// Every command that touches the application database takes the same options, named as in the configuration file.
void add_options(CLI::App& app, std::map<std::string, std::string>& flags) {
  for (auto& option : startup::option_definitions()) {
    std::string names;
    for (auto& other : option.other_names) names += ", " + other;
    std::string variable = "BASALT_";
    for (char c : option.name) variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    // What is off by default is switched on by its bare name; `--name=false` works too, and a word after it is not taken for its value.
    if (option.default_text == "false") {
      app.add_flag_function("--" + option.name + "{true}", [&flags, &app, name = option.name](std::int64_t) { flags[name] = app.get_option("--" + name)->results().back(); },
                            option.description + " [" + variable + names + "]")
          ->group("Configuration");
      continue;
    }
    app.add_option_function<std::string>("--" + option.name, [&flags, name = option.name](const std::string& value) { flags[name] = value; },
                                         option.description + " [" + variable + names + "]")
        ->group("Configuration")
        ->type_name(option.default_text.empty() ? "" : "=" + option.default_text);
  }
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
    sub->callback([&chosen, action = std::move(action)] { chosen = action; });
    return sub;
  };
  auto in_force = [&] { return startup::read_config(options.flags, startup::process_environment()); };
  auto with_options = [&](CLI::App* sub) { add_options(*sub, options.flags); return sub; };
  auto with_json = [&](CLI::App* sub) { sub->add_flag("--json", options.json, "Print JSON."); return sub; };

  with_options(command(app, "serve", "Serve the web app and the API (the default).", [&] { return serve(in_force(), migrations); }));

  auto* migrate = app.add_subcommand("migrate", "Look at and change the schema of the application database.");
  migrate->require_subcommand(1);
  migrate->footer("Exit codes: 0 done, 10 nothing to do, 20 blocked and unchanged, 30 rolled back cleanly, 40 needs a person.");
  with_json(with_options(command(*migrate, "status", "Which schema the data has, its history, and what is parked.", [&] { return migrate_status(in_force(), migrations, options); })));
  auto* plan = with_json(with_options(command(*migrate, "plan", "What `migrate up` would do; changes nothing.", [&] { return migrate_plan(in_force(), migrations, options); })));
  plan->add_option("--to", options.to_schema, "Plan the way to this schema instead, up or down.");
  with_json(with_options(command(*migrate, "up", "Bring the data to this version's schema, after a verified backup.", [&] { return migrate_up(in_force(), migrations, options); })));
  auto* down = with_json(with_options(command(*migrate, "down", "Step the schema down; what the older one cannot hold is parked, not lost.", [&] { return migrate_down(in_force(), migrations, options); })));
  auto* to = down->add_option("--to", options.to_schema, "The schema to step down to.");
  down->add_option("--to-version", options.to_version, "The version of Basalt to step down for, e.g. 0.1.0.")->excludes(to);
  with_json(with_options(command(*migrate, "fingerprint", "Numbers that are equal for equal content: one for each table and one for all.", [&] { return migrate_fingerprint(in_force(), migrations, options); })));

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
  with_json(with_options(command(*parked, "list", "All parked values.", [&] { return parked_list(in_force(), migrations, options); })));
  auto* show = with_json(with_options(command(*parked, "show", "One parked value, whole.", [&] { return parked_show(in_force(), migrations, options); })));
  show->add_option("id", options.id, "Its number in the list.")->required();
  auto* take = with_json(with_options(command(*parked, "take", "Write a parked value over what is there now.", [&] { return parked_take(in_force(), migrations, options); })));
  take->add_option("id", options.id, "Its number in the list.")->required();

  auto* reset = with_options(command(app, "reset-password", "Print a token with which a person sets a new password.", [&] { return reset_password(in_force(), migrations, options); }));
  reset->add_option("email", options.email, "The person's e-mail address.")->required();

  with_json(with_options(command(app, "doctor", "What is in force and where it came from, and whether all is well.", [&] { return doctor(in_force(), migrations, options); })));
  command(app, "version", "Print the version.", [] { std::cout << "basalt " << version() << "\n"; return 0; });
  auto* help = command(app, "help", "Print help for a command.", [&] {
    auto* about = &app;
    for (auto& word : options.words) {
      CLI::App* next = nullptr;
      for (auto* candidate : about->get_subcommands([](CLI::App*) { return true; })) if (candidate->get_name() == word) next = candidate;
      if (!next) { std::cerr << "basalt: there is no command " << word << "; see basalt help\n"; return static_cast<int>(usage); }
      about = next;
    }
    std::cout << about->help();
    return 0;
  });
  help->add_option("command", options.words, "The command.");
  auto* sample = command(app, "make-sample-database", "Write the sample database to a file (used by the server).", [&] { return make_sample_database(options); });
  sample->add_option("file", options.file)->required();
  sample->group("");
  // Options of `serve` may stand without the word: `basalt --port 8080`.
  add_options(app, options.flags);

  try {
    app.parse(argc, argv);
    if (!chosen) chosen = [&] { return serve(in_force(), migrations); };
    return chosen();
  } catch (const CLI::ParseError& error) {
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
