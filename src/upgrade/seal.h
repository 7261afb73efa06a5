// The outside of a .basalt-backup file: a head that listing reads, a zstd frame (encrypted or not), and a digest of it all.
#pragma once
#include <filesystem>
#include <string>

#include "base/json.h"

namespace basalt::upgrade {

// Every part is a zstd frame or a skippable one, so that public tools know the file:
//   head     skippable 0x184D2A50: JSON text; with a passphrase it also has `encryption`
//   payload  one zstd frame with its size; with a passphrase that frame in pieces of 256 KiB, each sealed by itself with
//            AES-256-GCM in a skippable frame 0x184D2A51 (nonce: 11 bytes of counter and a byte that is 1 in the last piece;
//            associated data: SHA-256 of the head), under a key from Argon2id
//   digest   skippable 0x184D2A50 of 32 bytes: SHA-256 of all before it
// `head` says what may be read without the passphrase. `from` is read to its end. Failure Unavailable / BadRequest with a sentence.
// What it costs to try a passphrase is part of the head; tests that open many files ask for less.
struct PassphraseCost { std::uint32_t memory_kib = 64 << 10, passes = 3; };
void pack(const std::filesystem::path& from, const std::filesystem::path& to, json::object head, const std::string& passphrase = {}, const PassphraseCost& cost = {});
// Failure BadRequest in one sentence: another file, a damaged or cut one, a passphrase missing or wrong.
void unpack(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& passphrase = {});
std::string read_head(const std::filesystem::path& file);    // Failure BadRequest when there is none
std::string digest_in(const std::filesystem::path& file);    // as the file's end says, in hex; empty when it has none

}  // namespace basalt::upgrade
