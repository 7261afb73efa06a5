// What the launcher asks of whoever decides on versions.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "base/json.h"

namespace basalt::launch {

// The other end of a control command that was given to this launcher; see control.h. The launcher's main thread alone.
class Reply {
 public:
  virtual ~Reply() = default;
  virtual void say(const json::object&) = 0;  // one line more; does nothing when the asker went away
  virtual void end(const json::object&) = 0;  // the last one, with "ok": true, or "ok": false and "message"
};

// All on the launcher's main thread; nothing waits.
class Versions {
 public:
  virtual ~Versions() = default;
  // What is to serve now. Asked when the launcher starts and whenever the serving child ended unasked: a version on trial that
  // dies may be answered with the one before it.
  virtual std::string slot_to_start() = 0;
  virtual std::filesystem::path program(const std::string& slot) = 0;  // to be executed; Failure when there is no such slot
  virtual void tick() = 0;                                             // five times a second, and after each end of a child
  virtual std::string busy() = 0;                                      // a sentence on why the serving process cannot be replaced just now; empty: it can
  virtual json::object to_json() = 0;                                  // its part of `status`
  // Any command but "status" and "swap". What it throws is answered with its sentence.
  virtual void command(const json::object& request, std::shared_ptr<Reply>) = 0;
};

}  // namespace basalt::launch
