// What readers may rely on while two servers on one database answer from memory, with writers and
// readers at full speed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using Clock = std::chrono::steady_clock;
using Content = v1::ContentService::Stub;
using Admin = v1::AdminService::Stub;
using std::chrono::milliseconds;

constexpr size_t kServers = 2;
constexpr size_t kReadersOfEach = 3;
constexpr size_t kWriters = 4;
constexpr size_t kArticles = 301;
// Only the prober writes and reads the last article, so a server checks it only because of a notice
// or its age.
constexpr size_t kProbed = kArticles - 1;
constexpr int kPageSize = 5;
constexpr milliseconds kPublisherPause{10};
constexpr milliseconds kKillerPause{50};

// How long each mode runs.
std::chrono::duration<double> Duration() {
  const char* const seconds = std::getenv("COHERENCE_SECONDS");
  double count = 0;
  if (seconds == nullptr || !absl::SimpleAtod(seconds, &count)) count = 4;
  return std::chrono::duration<double>(count);
}

// Some are written and read all the time, most only now and then, so that their cached copies grow
// old.
template <class Random>
size_t AnyArticle(Random& random) {
  const double place = std::uniform_real_distribution<double>()(random);
  return static_cast<size_t>(place * place * place * static_cast<double>(kProbed));
}

std::string FirstName(size_t article) { return absl::StrCat("articles/story-", article); }

// Returns the id in a comment's name.
std::string IdOf(const std::string& name) { return name.substr(name.rfind('/') + 1); }

// ---- What was written ----

// An acknowledged write. Unset fields were not changed.
struct Write {
  Clock::time_point begun;
  int64_t revision = 0;
  std::string comment_id = {};
  std::optional<std::string> comment_body = {};  // empty: the comment is deleted
  std::optional<std::string> text = {};          // of title and body
  std::optional<std::string> name = {};
  std::optional<bool> retracted = {};
};

// The state that readers see at one revision of an article.
struct Shown {
  Clock::time_point begun;  // before then nobody can have seen it
  bool retracted = false;
  std::string name;
  std::string text;
  int64_t comment_count = 0;
  std::string page;  // of the newest comments
};

using Comments = std::map<std::string, std::string, std::greater<>>;  // bodies by id, newest first

std::string PageOf(const std::string& article_name, const Comments& comments) {
  std::string page;
  int left = kPageSize;
  for (const auto& [id, body] : comments) {
    if (left-- > 0) absl::StrAppend(&page, article_name, "/comments/", id, "=", body, ";");
  }
  return page;
}

// The minimum that a read that begins now must show.
struct Floors {
  Clock::time_point begun;
  int64_t seen = 0;    // the highest revision that the same server had shown
  int64_t old = 0;     // the highest that was acknowledged longer ago than the promise says
  int64_t wanted = 0;  // the read's min_revision

  int64_t highest() const { return std::max({seen, old, wanted}); }
};

// What a read returned for an article at a revision. Distinct ones are kept, and checked once all
// writes are known.
struct Reading {
  std::string rpc;
  size_t article;
  int64_t revision;
  int64_t comment_count;
  std::optional<std::string> name;
  std::optional<std::string> title;
  std::optional<std::string> body;
  std::optional<std::string> page;

  auto Key() const {
    return std::tie(article, revision, rpc, comment_count, name, title, body, page);
  }
  bool operator<(const Reading& other) const { return Key() < other.Key(); }
};

// A read that did not find its article.
struct Absence {
  std::string rpc;
  size_t article;
  int64_t floor;
  Clock::time_point ended;
};

// The history of an article, shared by its writers and readers. Thread-safe.
class History {
 public:
  void Add(Write write) {
    const std::lock_guard lock(mutex_);
    latest_ = std::max(latest_, write.revision);
    if (write.name) name_ = *write.name;
    acknowledged_.emplace_back(Clock::now(), write.revision);
    writes_.push_back(std::move(write));
  }

  // Returns a name that the article certainly has.
  std::string name() {
    const std::lock_guard lock(mutex_);
    return name_;
  }

  Floors BeginRead(size_t server, milliseconds max_staleness, bool wants_latest) {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    while (!acknowledged_.empty() && acknowledged_.front().first < now - max_staleness) {
      old_ = std::max(old_, acknowledged_.front().second);
      acknowledged_.pop_front();
    }
    return {.begun = now, .seen = seen_[server], .old = old_, .wanted = wants_latest ? latest_ : 0};
  }

  void EndRead(size_t server, int64_t revision) {
    const std::lock_guard lock(mutex_);
    seen_[server] = std::max(seen_[server], revision);
  }

  // Returns the states, indexed by revision minus 1. Must be called after the last write.
  std::vector<Shown> Replay() {
    const std::lock_guard lock(mutex_);
    std::sort(writes_.begin(), writes_.end(),
              [](const Write& a, const Write& b) { return a.revision < b.revision; });
    std::vector<Shown> shown;
    Shown now;
    Comments comments;
    for (const Write& write : writes_) {
      EXPECT_EQ(write.revision, shown.size() + 1) << "a write that nobody made, or two at once";
      now.begun = write.begun;
      if (write.comment_body) comments[write.comment_id] = *write.comment_body;
      if (write.comment_body == "") comments.erase(write.comment_id);
      if (write.text) now.text = *write.text;
      if (write.name) now.name = *write.name;
      if (write.retracted) now.retracted = *write.retracted;
      now.comment_count = static_cast<int64_t>(comments.size());
      now.page = PageOf(now.name, comments);
      shown.push_back(now);
    }
    return shown;
  }

 private:
  std::mutex mutex_;
  std::vector<Write> writes_;
  std::deque<std::pair<Clock::time_point, int64_t>> acknowledged_;
  std::string name_;
  int64_t latest_ = 0;
  int64_t old_ = 0;
  std::array<int64_t, kServers> seen_{};
};

// ---- Who takes part ----

struct Way {
  std::string name;
  milliseconds max_staleness;
  bool notifications = true;
  bool kills_listeners = false;

  friend void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }
};

class CoherenceTest : public ::testing::TestWithParam<Way> {
 protected:
  CoherenceTest() {
    for (size_t i = 0; i < kServers; ++i) {
      servers_.push_back(std::make_unique<ContentdServer>(std::vector<std::string>{
          "--database-url", url_, "--max-staleness",
          absl::StrCat(GetParam().max_staleness.count(), "ms"),
          absl::StrCat("--notifications=", GetParam().notifications ? "true" : "false")}));
      clients_.emplace_back(servers_.back()->address());
      AwaitServing(clients_.back());
    }
  }

  template <class Random>
  const Client& AnyServer(Random& random) const {
    return clients_[random() % kServers];
  }

  // Checks a read or write that may find the article retracted. Any other error fails the test.
  bool Succeeded(const char* what, const grpc::Status& status) {
    const bool is_expected = status.ok() || status.error_code() == grpc::StatusCode::NOT_FOUND;
    if (!is_expected && MayComplain()) {
      ADD_FAILURE() << what << ": " << status.error_message();
    }
    return status.ok();
  }

  // Reports only the first errors, because an error is likely to occur thousands of times.
  bool MayComplain() { return ++complaints_ <= 20; }

  // ---- Writing ----

  void PublishText(const Client& client, size_t article, const std::string& text) {
    Write write{.begun = Clock::now(), .text = text, .retracted = false};
    v1::Article message = MakeArticle("");
    message.set_name(FirstName(article));
    message.set_title(text);
    message.set_body(text);
    v1::PublishArticleResponse response;
    if (!Succeeded("Publish", client.Publish(message, &response))) return;
    write.revision = response.article().revision();
    write.name = response.article().name();
    histories_[article].Add(std::move(write));
  }

  void UpdateText(const Client& client, size_t article, const std::string& text) {
    Write write{.begun = Clock::now(), .text = text};
    v1::UpdateArticleRequest request;
    request.mutable_article()->set_name(histories_[article].name());
    request.mutable_article()->set_title(text);
    request.mutable_article()->set_body(text);
    v1::UpdateArticleResponse response;
    if (!Succeeded("Update",
                   Client::Call(&Admin::UpdateArticle, client.admin(), request, response))) {
      return;
    }
    write.revision = response.article().revision();
    histories_[article].Add(std::move(write));
  }

  void Rename(const Client& client, size_t article, const std::string& suffix) {
    Write write{.begun = Clock::now(), .name = absl::StrCat(FirstName(article), "-", suffix)};
    v1::RenameArticleRequest request;
    request.set_name(FirstName(article));
    request.set_new_name(*write.name);
    v1::RenameArticleResponse response;
    if (!Succeeded("Rename",
                   Client::Call(&Admin::RenameArticle, client.admin(), request, response))) {
      return;
    }
    write.revision = response.article().revision();
    histories_[article].Add(std::move(write));
  }

  void Retract(const Client& client, size_t article) {
    Write write{.begun = Clock::now(), .retracted = true};
    v1::RetractArticleRequest request;
    request.set_name(histories_[article].name());
    v1::RetractArticleResponse response;
    if (!Succeeded("Retract",
                   Client::Call(&Admin::RetractArticle, client.admin(), request, response))) {
      return;
    }
    write.revision = response.revision();
    histories_[article].Add(std::move(write));
  }

  // Returns nullopt if the article is retracted.
  std::optional<Write> CreateComment(const Client& client, size_t article,
                                     const std::string& body) {
    Write write{.begun = Clock::now(), .comment_body = body};
    v1::CreateCommentRequest request = MakeCommentRequest("", body);
    request.set_parent(histories_[article].name());
    v1::CreateCommentResponse response;
    if (!Succeeded("Create", client.Create(request, &response))) return std::nullopt;
    write.revision = response.comment().article_revision();
    write.comment_id = IdOf(response.comment().name());
    histories_[article].Add(write);
    return write;
  }

  void EditComment(const Client& client, size_t article, const std::string& id,
                   const std::string& body) {
    Write write{.begun = Clock::now(), .comment_id = id, .comment_body = body};
    v1::UpdateCommentRequest request;
    request.mutable_comment()->set_name(absl::StrCat(FirstName(article), "/comments/", id));
    request.mutable_comment()->set_body(body);
    v1::UpdateCommentResponse response;
    if (!Succeeded("Edit",
                   Client::Call(&Content::UpdateComment, client.content(), request, response))) {
      return;
    }
    write.revision = response.comment().article_revision();
    histories_[article].Add(std::move(write));
  }

  // Returns whether the article was there.
  bool DeleteComment(const Client& client, size_t article, const std::string& id) {
    Write write{.begun = Clock::now(), .comment_id = id, .comment_body = ""};
    v1::DeleteCommentRequest request;
    request.set_name(absl::StrCat(FirstName(article), "/comments/", id));
    v1::DeleteCommentResponse response;
    if (!Succeeded("Delete",
                   Client::Call(&Content::DeleteComment, client.content(), request, response))) {
      return false;
    }
    write.revision = response.article_revision();
    histories_[article].Add(std::move(write));
    return true;
  }

  // Changes only its own comments.
  void WriteComments(const std::stop_token& stop, size_t number) {
    std::minstd_rand random(static_cast<unsigned>(number + 1));
    std::array<std::vector<std::string>, kProbed> own;
    for (int i = 0; !stop.stop_requested(); ++i) {
      const size_t article = AnyArticle(random);
      const Client& client = AnyServer(random);
      const std::string body = absl::StrCat("writer ", number, ", text ", i);
      const size_t dice = random() % 10;
      if (own[article].empty() || dice < 6) {
        const auto write = CreateComment(client, article, body);
        if (write) own[article].push_back(write->comment_id);
      } else if (dice < 8) {
        EditComment(client, article, own[article][random() % own[article].size()], body);
      } else if (DeleteComment(client, article, own[article].back())) {
        own[article].pop_back();
      }
      ++writes_;
    }
  }

  void WriteArticles(const std::stop_token& stop) {
    std::minstd_rand random(1000);
    for (int i = 0; !stop.stop_requested(); ++i) {
      const size_t article = AnyArticle(random);
      const size_t dice = random() % 10;
      if (dice < 6) {
        UpdateText(AnyServer(random), article, absl::StrCat("Text ", i));
      } else if (dice < 8) {
        Rename(AnyServer(random), article, absl::StrCat("n", i));
      } else {
        Retract(AnyServer(random), article);
        PublishText(AnyServer(random), article, absl::StrCat("Again ", i));
      }
      ++writes_;
      Pause(stop, kPublisherPause);
    }
  }

  void Pause(const std::stop_token& stop, milliseconds duration) {
    std::unique_lock lock(mutex_);
    pause_.wait_for(lock, stop, duration, [] { return false; });
  }

  void KillListeners(const std::stop_token& stop) {
    Session session(url_);
    while (!stop.stop_requested()) {
      kills_ += std::stoi(session.Run(
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
          "WHERE datname = current_database() AND application_name LIKE '% notifications'"));
      Pause(stop, kKillerPause);
    }
  }

  // ---- Reading ----

  // A reader of one server.
  class Reader {
   public:
    Reader(CoherenceTest& test, size_t server, size_t seed)
        : test_(test), server_(server), random_(static_cast<unsigned>(seed)) {}

    void Run(const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const size_t article = AnyArticle(random_);
        switch (random_() % 4) {
          case 0:
            GetArticle(article);
            break;
          case 1:
            BatchGet();
            break;
          case 2:
            GetPage(article);
            break;
          default:
            ListComments(article);
        }
        ++test_.reads_;
      }
    }

    // Reads until it sees this revision, without requesting it by min_revision.
    void ReadUntil(const std::stop_token& stop, size_t article, int64_t revision) {
      while (GetArticle(article, /*may_want_latest=*/false) < revision && !stop.stop_requested()) {
        ++test_.reads_;
      }
    }

    std::set<Reading> readings;
    std::vector<Absence> absences;

   private:
    // Returns the revision, or 0.
    int64_t GetArticle(size_t article, bool may_want_latest = true) {
      v1::GetArticleRequest request;
      request.set_name(AnyName(article));
      request.set_view(AnyView());
      const Floors floors = Begin(article, may_want_latest);
      request.set_min_revision(floors.wanted);
      v1::GetArticleResponse response;
      const grpc::Status status =
          Client::Call(&Content::GetArticle, client().content(), request, response);
      if (!test_.Succeeded("GetArticle", status)) {
        Miss("GetArticle", article, floors);
        return 0;
      }
      Take(floors, ReadingOf("GetArticle", article, response.article()));
      return response.article().revision();
    }

    // Three neighbours, by the names they had first.
    void BatchGet() {
      const size_t first = AnyArticle(random_);
      v1::BatchGetArticlesRequest request;
      request.set_view(AnyView());
      request.set_allow_missing(true);
      std::map<std::string, std::pair<size_t, Floors>> asked;
      for (size_t i = 0; i < 3; ++i) {
        const size_t article = (first + i) % kProbed;
        request.add_names(FirstName(article));
        asked[FirstName(article)] = {article, Begin(article, /*may_want_latest=*/false)};
      }
      v1::BatchGetArticlesResponse response;
      if (!test_.Succeeded(
              "BatchGetArticles",
              Client::Call(&Content::BatchGetArticles, client().content(), request, response))) {
        return;
      }
      for (const std::string& name : response.missing_names()) {
        Miss("BatchGetArticles", asked[name].first, asked[name].second);
        asked.erase(name);
      }
      // In the order of the request.
      auto message = response.articles().begin();
      for (const std::string& name : request.names()) {
        const auto it = asked.find(name);
        if (it == asked.end()) continue;
        ASSERT_NE(message, response.articles().end());
        Take(it->second.second, ReadingOf("BatchGetArticles", it->second.first, *message++));
      }
    }

    void GetPage(size_t article) {
      v1::GetArticlePageRequest request;
      request.set_name(AnyName(article));
      request.set_view(AnyView());
      request.set_comment_page_size(kPageSize);
      const Floors floors = Begin(article);
      request.set_min_revision(floors.wanted);
      v1::GetArticlePageResponse response;
      if (!test_.Succeeded("GetArticlePage", Client::Call(&Content::GetArticlePage,
                                                          client().content(), request, response))) {
        return Miss("GetArticlePage", article, floors);
      }
      Reading reading = ReadingOf("GetArticlePage", article, response.article());
      reading.page = PageOf(response.comments());
      Take(floors, std::move(reading));
    }

    void ListComments(size_t article) {
      v1::ListCommentsRequest request;
      request.set_parent(AnyName(article));
      request.set_page_size(kPageSize);
      const Floors floors = Begin(article);
      request.set_min_revision(floors.wanted);
      v1::ListCommentsResponse response;
      if (!test_.Succeeded("ListComments", Client::Call(&Content::ListComments, client().content(),
                                                        request, response))) {
        return Miss("ListComments", article, floors);
      }
      Take(floors, {.rpc = "ListComments",
                    .article = article,
                    .revision = response.article_revision(),
                    .comment_count = response.comment_count(),
                    .name = {},
                    .title = {},
                    .body = {},
                    .page = PageOf(response.comments())});
    }

    static Reading ReadingOf(const char* rpc, size_t article, const v1::Article& message) {
      Reading reading{.rpc = rpc,
                      .article = article,
                      .revision = message.revision(),
                      .comment_count = message.comment_count(),
                      .name = message.name(),
                      .title = message.title(),
                      .body = {},
                      .page = {}};
      if (!message.body().empty()) reading.body = message.body();
      return reading;
    }

    template <class Comments>
    static std::string PageOf(const Comments& comments) {
      std::string page;
      for (const v1::Comment& comment : comments) {
        absl::StrAppend(&page, comment.name(), "=", comment.body(), ";");
      }
      return page;
    }

    const Client& client() const { return test_.clients_[server_]; }

    std::string AnyName(size_t article) {
      return random_() % 2 == 0 ? FirstName(article) : test_.histories_[article].name();
    }

    v1::ArticleView AnyView() {
      return random_() % 2 == 0 ? v1::ARTICLE_VIEW_BASIC : v1::ARTICLE_VIEW_FULL;
    }

    Floors Begin(size_t article, bool may_want_latest = true) {
      return test_.histories_[article].BeginRead(server_, GetParam().max_staleness,
                                                 may_want_latest && random_() % 4 == 0);
    }

    void Take(const Floors& floors, Reading reading) {
      const auto at_least = [&](int64_t floor, const char* why) {
        if (reading.revision >= floor || !test_.MayComplain()) return;
        const std::chrono::duration<double, std::milli> took = Clock::now() - floors.begun;
        ADD_FAILURE() << reading.rpc << " of article " << reading.article << " from server "
                      << server_ << " gave revision " << reading.revision << " after "
                      << took.count() << " ms, but " << why << " " << floor;
      };
      at_least(floors.seen, "that server had shown");
      at_least(floors.old, "long ago somebody had written");
      at_least(floors.wanted, "what was asked for was");
      test_.histories_[reading.article].EndRead(server_, reading.revision);
      readings.insert(std::move(reading));
    }

    void Miss(const char* rpc, size_t article, const Floors& floors) {
      absences.push_back({rpc, article, floors.highest(), Clock::now()});
    }

    CoherenceTest& test_;
    const size_t server_;
    std::minstd_rand random_;
  };

  // Writes on one server, and waits until the other one shows it.
  void Probe(const std::stop_token& stop, std::array<Reader, kServers>& readers,
             std::vector<Clock::duration>& delays) {
    for (size_t i = 0; !stop.stop_requested(); ++i) {
      const size_t writing = i % kServers;
      const size_t reading = (i + 1) % kServers;
      readers[reading].ReadUntil(stop, kProbed, 0);  // from now on that one has it in memory
      const auto write = CreateComment(clients_[writing], kProbed, absl::StrCat("probe ", i));
      ASSERT_TRUE(write);
      const Clock::time_point acknowledged = Clock::now();
      readers[reading].ReadUntil(stop, kProbed, write->revision);
      delays.push_back(Clock::now() - acknowledged);
    }
  }

  // ---- Looking at it afterwards ----

  void Check(const std::vector<Shown>& history, const Reading& reading) {
    const auto at = static_cast<size_t>(reading.revision) - 1;
    if (at < history.size() && IsOf(history[at], reading)) return;
    if (!MayComplain()) return;
    ADD_FAILURE() << reading.rpc << " of article " << reading.article << " at revision "
                  << reading.revision << " gave " << Describe(reading) << "\nbut it is "
                  << (at < history.size() ? Describe(history[at]) : "none that was written");
  }

  static bool IsOf(const Shown& shown, const Reading& reading) {
    return !shown.retracted && reading.comment_count == shown.comment_count &&
           reading.name.value_or(shown.name) == shown.name &&
           reading.title.value_or(shown.text) == shown.text &&
           reading.body.value_or(shown.text) == shown.text &&
           reading.page.value_or(shown.page) == shown.page;
  }

  static std::string Describe(const Reading& reading) {
    return absl::StrCat(reading.comment_count, " comments, name ", reading.name.value_or("-"),
                        ", title ", reading.title.value_or("-"), ", body ",
                        reading.body.value_or("-"), ", page ", reading.page.value_or("-"));
  }

  static std::string Describe(const Shown& shown) {
    if (shown.retracted) return "retracted";
    return absl::StrCat(shown.comment_count, " comments, name ", shown.name, ", text ", shown.text,
                        ", page ", shown.page);
  }

  // Checks that the article was retracted at some time between the oldest and the newest state that
  // the reader may have seen.
  void Check(const std::vector<Shown>& history, const Absence& absence) {
    for (auto revision = static_cast<size_t>(std::max<int64_t>(absence.floor, 1));
         revision <= history.size(); ++revision) {
      const Shown& shown = history[revision - 1];
      if (shown.retracted && shown.begun < absence.ended) return;
    }
    if (!MayComplain()) return;
    ADD_FAILURE() << absence.rpc << " did not find article " << absence.article
                  << ", which was not retracted after revision " << absence.floor;
  }

  void CheckAll(const std::vector<Reader*>& readers) {
    std::vector<std::vector<Shown>> histories;
    for (History& history : histories_) histories.push_back(history.Replay());
    size_t readings = 0;
    size_t absences = 0;
    for (const Reader* reader : readers) {
      for (const Reading& reading : reader->readings) Check(histories[reading.article], reading);
      for (const Absence& absence : reader->absences) Check(histories[absence.article], absence);
      readings += reader->readings.size();
      absences += reader->absences.size();
    }
    std::cout << GetParam().name << ": " << reads_ << " reads (" << readings
              << " different answers, " << absences << " not found), " << writes_ << " writes\n";
  }

  const std::string url_ = NewDatabase();
  std::vector<std::unique_ptr<ContentdServer>> servers_;
  std::vector<Client> clients_;
  std::array<History, kArticles> histories_;
  std::atomic<int64_t> reads_ = 0;
  std::atomic<int64_t> writes_ = 0;
  std::atomic<int> complaints_ = 0;
  std::atomic<int> kills_ = 0;
  std::mutex mutex_;
  std::condition_variable_any pause_;
};

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

TEST_P(CoherenceTest, NoReadGoesBackInTimeOrIsStalerThanPromised) {
  for (size_t article = 0; article < kArticles; ++article) {
    PublishText(clients_.front(), article, "First");
  }
  std::deque<Reader> readers;
  for (size_t i = 0; i < kServers * kReadersOfEach; ++i) {
    readers.emplace_back(*this, i % kServers, 100 + i);
  }
  std::array<Reader, kServers> probers = {Reader(*this, 0, 200), Reader(*this, 1, 201)};
  std::vector<Clock::duration> delays;
  {
    std::vector<std::jthread> threads;
    const auto start = [&threads](auto work) { threads.emplace_back(std::move(work)); };
    for (Reader& reader : readers) {
      start([&reader](const std::stop_token& stop) { reader.Run(stop); });
    }
    for (size_t i = 0; i < kWriters; ++i) {
      start([this, i](const std::stop_token& stop) { WriteComments(stop, i); });
    }
    start([this](const std::stop_token& stop) { WriteArticles(stop); });
    start([&, this](const std::stop_token& stop) { Probe(stop, probers, delays); });
    if (GetParam().kills_listeners) {
      start([this](const std::stop_token& stop) { KillListeners(stop); });
    }
    std::this_thread::sleep_for(Duration());
    for (std::jthread& thread : threads) thread.request_stop();
  }

  std::vector<Reader*> all = {&probers[0], &probers[1]};
  for (Reader& reader : readers) all.push_back(&reader);
  CheckAll(all);
  EXPECT_GT(reads_, 100);
  EXPECT_GT(writes_, 50);
  if (GetParam().kills_listeners) {
    EXPECT_GT(kills_, 2);
  }

  ASSERT_FALSE(delays.empty());
  std::sort(delays.begin(), delays.end());
  const Clock::duration median = delays[delays.size() / 2];
  std::cout << GetParam().name << ": the other server shows a write after " << Milliseconds(median)
            << " ms (median of " << delays.size() << "), "
            << Milliseconds(delays[delays.size() * 99 / 100]) << " ms (p99), "
            << Milliseconds(delays.back()) << " ms (longest), promised are "
            << GetParam().max_staleness.count() << " ms\n";
  if (GetParam().notifications && !GetParam().kills_listeners) {
    EXPECT_LT(median, GetParam().max_staleness / 10);
  }
}

INSTANTIATE_TEST_SUITE_P(, CoherenceTest,
                         ::testing::Values(Way{.name = "WithNotifications",
                                               .max_staleness = milliseconds(1000)},
                                           Way{.name = "WithoutNotifications",
                                               .max_staleness = milliseconds(300),
                                               .notifications = false},
                                           Way{.name = "WithListenersKilled",
                                               .max_staleness = milliseconds(300),
                                               .kills_listeners = true}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace content::testing
