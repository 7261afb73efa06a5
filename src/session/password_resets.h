// One-time links that let a person set a new password. Only a hash of the token is stored.
#pragma once
#include <optional>
#include <string>

#include "appdb/store.h"

namespace basalt::session {

class PasswordResets {
 public:
  PasswordResets(appdb::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // "<person id>_<uuid>", good for 48 hours and one use. Earlier ones of the person end.
  std::string create(PersonId person);
  std::optional<PersonId> person_of(const std::string& token);  // absent: unknown, used, too old, or the person is not active
  // Marks the token as used; absent as above. `connection` is that of the transaction that sets the password.
  std::optional<PersonId> redeem(appdb::Connection& connection, const std::string& token);

 private:
  appdb::Store& store_;
  const Clock& clock_;
};

}  // namespace basalt::session
