#include "http/statusz/problems.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "http/statusz/format.h"

namespace content::statusz {
namespace {

// How much of the history is the present.
constexpr absl::Duration kPresent = absl::Minutes(1);

// As in the alerts (deploy/prometheus).
constexpr double kTolerableFailures = 0.01;
constexpr double kTolerableFiles = 0.8;
constexpr double kTolerableLag = 30;
constexpr double kTolerableSkew = 5;
constexpr absl::Duration kTimeToRenew = absl::Hours(24 * 14);

// The sums of rates in the last minute of the history.
struct Present {
  double calls = 0;
  double failures = 0;
  double refused = 0;
};

Present PresentOf(const Status& status) {
  Present present;
  for (const Sample& sample : status.history) {
    if (status.history.back().at - sample.at >= kPresent) continue;
    present.calls += sample.calls_per_second.value_or(0);
    present.failures += sample.failures_per_second.value_or(0);
    present.refused += sample.refused_per_second.value_or(0);
  }
  return present;
}

void FindPhase(const Status& status, std::vector<Problem>& problems) {
  switch (status.phase) {
    case Phase::kServing:
      break;
    case Phase::kStarting:
      problems.push_back(
          {.trouble = Trouble::kStarting,
           .severity = Severity::kNotice,
           .what = "Starting: the server has waited for its database, or prepared it,",
           .advice = "If this takes long, the log says what it waits for.",
           .section = "Logs",
           .since = status.start});
      break;
    case Phase::kSchemaUnfit:
      problems.push_back({.trouble = Trouble::kSchemaUnfit,
                          .severity = Severity::kCritical,
                          .what = "Not serving: the database's schema has not fitted this version",
                          .advice = "Run contentd migrate, or the version that fits.",
                          .section = "Upgrade"});
      break;
    case Phase::kStopping:
      problems.push_back({.trouble = Trouble::kStopping,
                          .severity = Severity::kNotice,
                          .what = "Stopping: clients are being sent to other servers",
                          .advice = "Nothing is to be done: the process ends by itself.",
                          .section = "Stop",
                          .has_onset = false});
      break;
  }
}

void FindDatabaseAway(const Status& status, std::vector<Problem>& problems) {
  // A database whose schema does not fit counts as away, but answers.
  if (!status.has_server || status.phase == Phase::kSchemaUnfit) return;
  if (status.database.breaker_is_open) {
    problems.push_back({.trouble = Trouble::kDatabaseAway,
                        .severity = Severity::kCritical,
                        .what = "Serving stale articles: the database has not answered",
                        .advice =
                            "Its host, its disk or the network hangs. Writes fail; what is in "
                            "memory is served for --stale-if-error. The server goes on by "
                            "itself with the first answer.",
                        .section = "The database hangs"});
  } else if (!status.database.is_up) {
    problems.push_back({.trouble = Trouble::kDatabaseAway,
                        .severity = Severity::kCritical,
                        .what = "Serving stale articles: the database has not been usable",
                        .advice =
                            "It cannot be reached, accepts no writes, or refuses this server: "
                            "the events below say which. What is in memory is served for "
                            "--stale-if-error. The server goes on by itself once it can.",
                        .section = "Is it healthy?"});
  }
}

void FindMemoryShort(const Status& status, std::vector<Problem>& problems) {
  if (!status.process.memory_is_short) return;
  problems.push_back({.trouble = Trouble::kMemoryShort,
                      .severity = Severity::kCritical,
                      .what = "Refusing calls that need the database: memory has been short",
                      .advice = "If it stays short, raise --memory-limit or lower --cache-bytes.",
                      .section = "How much memory does it use?"});
}

void FindCertificates(const Status& status, std::vector<Problem>& problems) {
  for (const auto& [file, not_after] : status.certificates) {
    const std::string advice = absl::StrCat(
        "Put a new one in its place; the server takes it within a second. The log says if it is "
        "refused.");
    const std::string section = "Encrypt calls, and let only known clients in";
    if (not_after <= status.now) {
      problems.push_back(
          {.trouble = Trouble::kCertificateExpired,
           .severity = Severity::kCritical,
           .what = absl::StrCat("Clients refuse to connect: ", file, " has been expired"),
           .advice = advice,
           .section = section,
           .since = not_after});
    } else if (not_after - status.now < kTimeToRenew) {
      problems.push_back(
          {.trouble = Trouble::kCertificateExpires,
           .severity = Severity::kWarning,
           .what = absl::StrCat("Serving, but ", file, " expires in ", Age(not_after - status.now)),
           .advice = advice,
           .section = section,
           .has_onset = false});
    }
  }
}

void FindRefusedFiles(const Status& status, std::vector<Problem>& problems) {
  if (status.history.empty()) return;
  if (status.history.back().certificates_are_refused) {
    problems.push_back({.trouble = Trouble::kCertificatesRefused,
                        .severity = Severity::kWarning,
                        .what = "Serving, but the files of the certificates have been invalid",
                        .advice = "Those before stay in use, until they expire. The log says what "
                                  "is wrong.",
                        .section = "Encrypt calls, and let only known clients in"});
  }
  if (status.history.back().policy_is_refused) {
    problems.push_back(
        {.trouble = Trouble::kPolicyRefused,
         .severity = Severity::kWarning,
         .what = "Serving, but the file of the policy or of the keys has been invalid",
         .advice = "The last good one stays in use. The log says what is wrong.",
         .section = "Who may do what"});
  }
}

void FindQueueFull(const Present& present, std::vector<Problem>& problems) {
  if (present.refused <= 0) return;
  problems.push_back({.trouble = Trouble::kQueueFull,
                      .severity = Severity::kWarning,
                      .what = "Serving, but calls have been refused because too many were waiting",
                      .advice = "See below whether the database is slow, or one client has too "
                                "many calls outstanding.",
                      .section = "Overload"});
}

void FindCallsFail(const Present& present, std::vector<Problem>& problems) {
  if (present.failures <= kTolerableFailures * present.calls) return;
  problems.push_back(
      {.trouble = Trouble::kCallsFail,
       .severity = Severity::kWarning,
       .what = absl::StrCat("Serving, but calls fail, ", Percent(present.failures / present.calls),
                            " of those of the last minute,"),
       .advice = "The codes and the events below tell why.",
       .section = "What errors mean, and what to do"});
}

void FindFilesShort(const Status& status, std::vector<Problem>& problems) {
  const auto& [open, limit] = std::pair(status.process.open_files, status.process.max_files);
  if (limit <= 0 || open <= kTolerableFiles * limit) return;
  problems.push_back({.trouble = Trouble::kFilesShort,
                      .severity = Severity::kWarning,
                      .what = absl::StrCat("Serving, but ", Count(open), " of ", Count(limit),
                                           " files have been open, connections included,"),
                      .advice = "Raise LimitNOFILE, or find out who opens so many connections.",
                      .section = "What can a client take up?"});
}

void FindStandbysLag(const Status& status, std::vector<Problem>& problems) {
  for (const auto& [standby, lag] : status.database.replication_lags) {
    if (lag <= kTolerableLag) continue;
    problems.push_back({.trouble = Trouble::kStandbyLags,
                        .severity = Severity::kWarning,
                        .what = absl::StrCat("Serving, but the standby ", standby, " is ",
                                             Seconds(lag), " behind,"),
                        .advice = "A failover to it would take long, or lose that much.",
                        .section = "Survive the loss of the database's host"});
  }
}

void FindClocksDiffer(const Status& status, std::vector<Problem>& problems) {
  const double skew = std::fabs(status.database.clock_skew.value_or(0));
  if (skew <= kTolerableSkew) return;
  problems.push_back({.trouble = Trouble::kClocksDiffer,
                      .severity = Severity::kWarning,
                      .what = absl::StrCat("Serving, but this clock and the database's have "
                                           "differed by ",
                                           Seconds(skew)),
                      .advice = "See whether both hosts synchronise their clocks. Data is dated by "
                                "the database alone; certificates and tokens are not.",
                      .section = "Logs"});
}

}  // namespace

std::vector<Problem> FindProblems(const Status& status) {
  const Present present = PresentOf(status);
  std::vector<Problem> problems;
  FindPhase(status, problems);
  FindDatabaseAway(status, problems);
  FindMemoryShort(status, problems);
  FindCertificates(status, problems);
  FindRefusedFiles(status, problems);
  FindQueueFull(present, problems);
  FindCallsFail(present, problems);
  FindFilesShort(status, problems);
  FindStandbysLag(status, problems);
  FindClocksDiffer(status, problems);
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.trouble < b.trouble; });
  return problems;
}

void Onsets::Date(std::vector<Problem>& problems, absl::Time now) {
  std::map<Trouble, absl::Time> before = std::exchange(onsets_, {});
  for (Problem& problem : problems) {
    const auto known = before.find(problem.trouble);
    const absl::Time onset = known == before.end() ? now : known->second;
    onsets_.emplace(problem.trouble, onset);
    if (problem.has_onset && !problem.since) problem.since = onset;
  }
}

}  // namespace content::statusz
