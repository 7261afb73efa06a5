// Random names and keys, all from the operating system's generator (getrandom through OpenSSL).
#pragma once
#include <string>

namespace basalt {

std::string random_bytes(std::size_t count);  // throws Failure Bug when the system has none
std::string random_hex(std::size_t bytes);    // two lower-case digits per byte
std::string uuid4();                          // RFC 9562, version 4: session keys, request ids
std::string uuid7();                          // RFC 9562, version 7, ascending within a process: row_uid
std::string entity_id();                      // 21 characters of [A-Za-z0-9_-]: entity_id

}  // namespace basalt
