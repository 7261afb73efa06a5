// serve, reset-password, make-sample-database.
#include <cctype>
#include <iostream>

#include "commands/commands.h"
#include "features/sample/sample_database.h"
#include "session/password_resets.h"
#include "startup/open_store.h"
#include "startup/serve.h"

namespace basalt::commands {

int serve(const Config& config, const Migrations& migrations) { return startup::serve(config, migrations); }

int make_sample_database(const Options& options) {
  features::write_sample_database(options.file);
  return done;
}

int reset_password(const Config& config, const Migrations&, const Options& options) {
  log::set_up(log::Level::Warning, log::Format::Text);
  auto store = startup::open_store(config);
  std::string email = options.email;
  for (auto& c : email) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  auto person = store->read([&](appdb::Connection& c) { return c.query_one("SELECT id, is_active FROM person WHERE email = ? AND kind = 'personal'", {email}); });
  if (!person) throw Failure(FailureKind::BadRequest, "There is no person with the e-mail address " + options.email + ".");
  if (!person->boolean("is_active")) throw Failure(FailureKind::BadRequest, "The account of " + options.email + " is deactivated; an administrator can reactivate it.");
  auto token = session::PasswordResets(*store, system_clock()).create(person->id<PersonId>("id"));
  std::cout << "Open this page of your Basalt within 48 hours to set a new password:\n  /auth/reset_password/" << token << "\n";
  return done;
}

}  // namespace basalt::commands
