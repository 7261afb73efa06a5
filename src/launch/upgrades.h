// All that the launcher knows of versions: which one serves, the trial of the next, and the look for new ones.
#pragma once
#include <memory>

#include "launch/agent.h"
#include "launch/trial.h"
#include "launch/versions.h"

namespace basalt::launch {

struct UpgradeOptions {
  std::filesystem::path versions_folder, program;  // program: of the installed slot
  std::string version;                             // of it
  TrialOptions trial;
  AgentOptions agent;
};

// Commands, besides the launcher's own, as control.h has them:
//   {"do":"try","version","by","anyway"}     puts a slot on trial; ends at once, `status` tells how it goes
//   {"do":"apply","version"?,"by","anyway"}  fetches first
//   {"do":"roll-back","by"}  {"do":"hold","until"?,"by","why"}  {"do":"unhold"}  {"do":"look"}
class Upgrades final : public Versions {
 public:
  Upgrades(Children&, UpgradeOptions);

  std::string slot_to_start() override { return trial_.slot_to_start(); }
  std::filesystem::path program(const std::string& slot) override { return slots_.program(slot); }
  void tick() override;
  std::string busy() override { return trial_.busy(); }
  json::object to_json() override;
  void command(const json::object& request, std::shared_ptr<Reply>) override;

 private:
  Slots slots_;
  Trial trial_;
  Agent agent_;
  std::string last_refusal_;  // why what was fetched was not put on trial
};

}  // namespace basalt::launch
