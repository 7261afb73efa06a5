// Any text given to the JSON reader is refused or comes back the same when written and read again.
#include <cstdint>
#include <cstdlib>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto tree = basalt::json::try_parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (tree) {
    auto text = basalt::json::write(*tree);
    auto again = basalt::json::try_parse(text);
    if (!again || basalt::json::write(*again) != text) std::abort();
  }
  return 0;
}
