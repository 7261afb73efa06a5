// Slows down guessing: counts failed sign-ins per e-mail and per address, in the application database, so that several
// nodes and a restart count together.
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "appdb/store.h"

namespace basalt::session {

class SignInThrottle {
 public:
  SignInThrottle(appdb::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // How long this e-mail or address has to wait before its next attempt; absent: go ahead. The first five failures of an
  // e-mail (fifty of an address) within an hour cost nothing, then the wait grows from 15 s by half each time up to 15 minutes.
  std::optional<std::chrono::seconds> wait(const std::string& email, const std::string& address);
  void failed(const std::string& email, const std::string& address);
  void succeeded(const std::string& email);  // forgets the failures of the e-mail; those of the address stay

  // "Too many attempts! You must wait 15 seconds before trying again."
  static std::string sentence(std::chrono::seconds wait);

 private:
  appdb::Store& store_;
  const Clock& clock_;
};

}  // namespace basalt::session
