// Drives a content service with calls that differ from one another, checks every answer, and prints
// the figures as JSON. Where all calls are the same, the benchmark uses h2load, but not for callers
// with a certificate: h2load cannot show one.

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/answers.h"
#include "bench/connection.h"

namespace content::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

constexpr char kGetArticle[] = "/content.v1.ContentService/GetArticle";
constexpr char kCreateComment[] = "/content.v1.ContentService/CreateComment";
constexpr char kPublishArticle[] = "/content.v1.AdminService/PublishArticle";

// How long to wait after the run for calls that are still unanswered.
constexpr std::chrono::seconds kPatience(30);

struct Options {
  int port = 0;
  Caller caller = {};
  std::string articles = {};
  std::string order = "uniform";
  double comments = 0;
  bool publish = false;
  std::string acknowledged = {};
  std::string tag = {};
  int connections = 1;
  int streams = 1;
  double warm_up = 0;
  double seconds = 1;
  double rate = 0;
  uint64_t seed = 1;
};

nanoseconds Seconds(double seconds) { return nanoseconds(std::llround(seconds * 1e9)); }

// Chooses the article of each call.
class Chooser {
 public:
  Chooser(const Options& options, size_t articles) : in_turn_(options.order == "sequence") {
    // Zipf's law: the article of rank r is read in proportion to 1 / r.
    std::vector<double> weights(articles, 1);
    if (options.order == "zipf") {
      for (size_t i = 0; i < articles; ++i) weights[i] = 1 / static_cast<double>(i + 1);
    }
    random_ = std::discrete_distribution<size_t>(weights.begin(), weights.end());
  }

  size_t Next(std::mt19937_64& generator) { return in_turn_ ? next_++ : random_(generator); }

 private:
  bool in_turn_;
  size_t next_ = 0;
  std::discrete_distribution<size_t> random_;
};

// The times that calls of one kind took, in microseconds.
class Times {
 public:
  void Add(nanoseconds time) { times_.push_back(static_cast<double>(time.count()) / 1000); }

  size_t count() const { return times_.size(); }

  nlohmann::json Summary() {
    std::sort(times_.begin(), times_.end());
    return {{"requests", times_.size()},
            {"p50_us", At(0.5)},
            {"p90_us", At(0.9)},
            {"p99_us", At(0.99)},
            {"max_us", At(1.0)}};
  }

 private:
  double At(double share) const {
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(times_.size())));
    return times_[std::max<size_t>(rank, 1) - 1];
  }

  std::vector<double> times_;
};

nanoseconds CpuTime() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto total = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + microseconds(time.tv_usec);
  };
  return total(usage.ru_utime) + total(usage.ru_stime);
}

// One run against one server.
class Load {
 public:
  Load(const Options& options, std::vector<Article> articles)
      : options_(options),
        articles_(std::move(articles)),
        generator_(options.seed),
        chooser_(options, articles_.size()),
        is_comment_(options.comments),
        acknowledged_(options.acknowledged) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options.connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(
          options.port, options.streams, options.caller,
          [this](const Call& call, const auto& answer) { Record(call, answer); }));
      Watch(*connections_.back(), EPOLL_CTL_ADD);
    }
  }

  nlohmann::json Run() {
    const nanoseconds cpu = CpuTime();
    const Clock::time_point start = Clock::now();
    measured_from_ = start + Seconds(options_.warm_up);
    end_ = measured_from_ + Seconds(options_.seconds);
    due_ = start;
    while ((HasCallsToBegin() || !AllIdle()) && Clock::now() < end_ + kPatience) Turn();
    if (!AllIdle()) Fail(absl::DeadlineExceededError("calls were not answered"));
    return Summary(start, CpuTime() - cpu);
  }

 private:
  bool IsSequence() const { return options_.order == "sequence"; }
  bool IsPaced() const { return options_.rate > 0; }

  void Watch(Connection& connection, int operation) const {
    epoll_event event = {};
    event.events = EPOLLIN | (connection.IsBlocked() ? static_cast<uint32_t>(EPOLLOUT) : 0U);
    event.data.ptr = &connection;
    epoll_ctl(epoll_, operation, connection.fd(), &event);
  }

  // At a fixed rate every call that is due before the end is made, even if late.
  bool HasCallsToBegin() const {
    if (IsSequence()) return begun_ < articles_.size();
    return (IsPaced() ? due_ : Clock::now()) < end_;
  }

  bool AllIdle() const {
    return std::all_of(connections_.begin(), connections_.end(),
                       [](const auto& connection) { return connection->IsIdle(); });
  }

  bool HasIdleStream() const {
    return std::any_of(connections_.begin(), connections_.end(),
                       [](const auto& connection) { return connection->HasIdleStream(); });
  }

  // Begins the calls that can begin, and waits for answers.
  void Turn() {
    BeginCalls();
    for (const auto& connection : connections_) Flush(*connection);
    std::vector<epoll_event> events(connections_.size());
    const timespec timeout = UntilNextCall();
    const int count =
        epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
      connection.Receive();
      // Sent at once, so that this connection does not wait for the others.
      if (!IsPaced()) BeginAll(connection);
      Flush(connection);
    }
  }

  void Flush(Connection& connection) const {
    const bool was_blocked = connection.IsBlocked();
    connection.Send();
    if (connection.IsBlocked() != was_blocked) Watch(connection, EPOLL_CTL_MOD);
  }

  void BeginCalls() {
    if (IsPaced()) {
      BeginDue();
    } else {
      for (const auto& connection : connections_) BeginAll(*connection);
    }
  }

  void BeginAll(Connection& connection) {
    while (HasCallsToBegin() && connection.HasIdleStream()) Begin(connection, Clock::now());
  }

  // At a fixed rate the time of a call begins when it is due, even if it is sent later.
  void BeginDue() {
    while (HasCallsToBegin() && due_ <= Clock::now()) {
      Connection* const connection = NextIdle();
      if (connection == nullptr) return;
      Begin(*connection, due_);
      due_ += Seconds(1 / options_.rate);
    }
  }

  Connection* NextIdle() {
    for (size_t i = 0; i < connections_.size(); ++i) {
      Connection& connection = *connections_[turn_++ % connections_.size()];
      if (connection.HasIdleStream()) return &connection;
    }
    return nullptr;
  }

  // Without an idle stream the next call has to wait for an answer, however long that takes.
  timespec UntilNextCall() const {
    nanoseconds wait = std::chrono::milliseconds(10);
    if (IsPaced() && HasIdleStream()) {
      wait = std::clamp(nanoseconds(due_ - Clock::now()), nanoseconds(0), wait);
    }
    return {0, static_cast<long>(wait.count())};
  }

  void Begin(Connection& connection, Clock::time_point begin) {
    Call call = {.article = chooser_.Next(generator_), .begin = begin};
    const Article& article = articles_[call.article];
    if (options_.publish) {
      call.path = kPublishArticle;
      call.article = ++written_;
      call.message = PublishArticleRequest(NameOfPublished(call));
    } else if (is_comment_(generator_)) {
      call.path = kCreateComment;
      ++written_;
      call.message = CreateCommentRequest(article, written_ % 50000,
                                          absl::StrCat(options_.tag, " ", written_, "."));
    } else {
      call.path = kGetArticle;
      call.message = GetArticleRequest(article);
    }
    ++begun_;
    connection.Begin(std::move(call));
  }

  void Record(const Call& call, const absl::StatusOr<absl::string_view>& answer) {
    const Clock::time_point now = Clock::now();
    const absl::Status status = answer.ok() ? Check(call, *answer) : answer.status();
    if (!status.ok()) return Fail(status);
    if (call.begin < measured_from_) return;
    answered_bytes_ += answer->size();
    times_[std::string(call.path)].Add(now - call.begin);
  }

  std::string NameOfPublished(const Call& call) const {
    return absl::StrCat(options_.tag, "-", call.article);
  }

  absl::Status Check(const Call& call, absl::string_view answer) {
    if (call.path == kPublishArticle) return CheckPublished(NameOfPublished(call), answer);
    const Article& article = articles_[call.article];
    if (call.path == kGetArticle) return CheckArticle(article, answer);
    const absl::StatusOr<std::string> name = CheckComment(article, answer);
    if (name.ok()) acknowledged_ << *name << '\n';
    return name.status();
  }

  void Fail(const absl::Status& status) {
    if (errors_++ == 0) first_error_ = status.ToString();
  }

  // Counts the calls that began within the measured time, even if they ended after it: about as
  // many were under way when it began.
  nlohmann::json Summary(Clock::time_point start, nanoseconds cpu) {
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    const double seconds = IsSequence() ? elapsed : options_.seconds;
    size_t requests = 0;
    for (const auto& [path, times] : times_) requests += times.count();
    nlohmann::json summary = {
        {"calls", begun_},  // with those of the warm-up
        {"requests", requests},
        {"seconds", seconds},
        {"per_second", static_cast<double>(requests) / seconds},
        {"answered_bytes", answered_bytes_},
        {"driver_cpu_share", std::chrono::duration<double>(cpu).count() / elapsed},
        {"errors", errors_},
        {"first_error", first_error_}};
    for (auto& [path, times] : times_) {
      summary[path.substr(path.rfind('/') + 1)] = times.Summary();
    }
    return summary;
  }

  const Options options_;
  const std::vector<Article> articles_;
  std::mt19937_64 generator_;
  Chooser chooser_;
  std::bernoulli_distribution is_comment_;
  std::ofstream acknowledged_;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  size_t begun_ = 0;
  size_t turn_ = 0;
  uint64_t written_ = 0;

  Clock::time_point measured_from_;
  Clock::time_point end_;
  Clock::time_point due_;               // of the next call, at a fixed rate
  std::map<std::string, Times> times_;  // by method
  size_t answered_bytes_ = 0;
  int errors_ = 0;
  std::string first_error_;
};

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("--port", options.port, "Port of the server on 127.0.0.1")->required();
  app.add_option("--tls-ca", options.caller.tls.ca,
                 "CAs of the server's certificate, in PEM; without them, no TLS");
  app.add_option("--tls-cert", options.caller.tls.certificate, "Certificate to show, in PEM");
  app.add_option("--tls-key", options.caller.tls.key, "Its private key, in PEM");
  app.add_option("--authorization", options.caller.authorization,
                 "Metadata of this name that every call has");
  app.add_option("--articles", options.articles,
                 "File of lines NAME TAB BODY-BYTES TAB BEGINNING, the most popular article first");
  app.add_flag("--publish", options.publish, "Publish new articles: no other calls");
  app.add_option("--order", options.order,
                 "Choice of articles: any, by popularity, or each once in turn")
      ->check(CLI::IsMember({"uniform", "zipf", "sequence"}))
      ->capture_default_str();
  app.add_option("--comments", options.comments,
                 "Share of CreateComment among the calls; the others are GetArticle")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--acknowledged", options.acknowledged,
                 "File to write the names of acknowledged comments to");
  app.add_option("--tag", options.tag,
                 "Beginning of every comment's text, and of every new article's name");
  app.add_option("--connections", options.connections, "Number of connections")
      ->check(CLI::Range(1, 1000));
  app.add_option("--streams", options.streams, "Calls at once on each connection")
      ->check(CLI::Range(1, 1000));
  app.add_option("--warm-up", options.warm_up, "Seconds before the measurement begins");
  app.add_option("--seconds", options.seconds,
                 "Seconds of the measurement; of a sequence, the maximum");
  app.add_option("--rate", options.rate,
                 "Calls per second, timed from when each is due; 0: as many as possible");
  app.add_option("--seed", options.seed, "Seed of the random choices");
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Drives a content service, checks every answer, and prints JSON.");
  AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  absl::StatusOr<std::vector<Article>> articles =
      options.publish ? std::vector<Article>(1) : ReadArticles(options.articles);
  if (!articles.ok()) {
    std::fprintf(stderr, "bench_load: %s\n", articles.status().ToString().c_str());
    return EXIT_FAILURE;
  }
  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1);  // so that calls at a fixed rate begin on time
  std::puts(Load(options, *std::move(articles)).Run().dump().c_str());
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace content::bench

int main(int argc, char** argv) try {
  return content::bench::Main(argc, argv);
} catch (const std::exception& exception) {
  std::fprintf(stderr, "bench_load: %s\n", exception.what());
  return EXIT_FAILURE;
}
