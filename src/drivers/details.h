// What drivers read from the details of a connection alike.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace basalt::drivers {

// A detail as text; numbers are written out; empty when absent.
std::string text_of(const json::object& details, std::string_view key);
// true or "true".
bool flag_of(const json::object& details, std::string_view key);
// "a=b&c=d", with or without a `?` before it; parts without `=` are left out.
std::vector<std::pair<std::string, std::string>> options_of(std::string_view text);
// The names of a comma separated list, without blanks around them.
std::vector<std::string> names_of(std::string_view text);
// Whether `text` fits the pattern, in which `*` stands for any text.
bool glob(std::string_view pattern, std::string_view text);

// Client libraries read certificates from files only; this one lives in memory and goes with the descriptor.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace basalt::drivers
