// Checks the plan of every statement of the store on 100,000 articles and 1,000,000 comments under
// one of them (data.sql). Every method of Store runs while auto_explain logs the plans and their
// rows. (A statement has one plan for all values: session.h.) The test fails if a plan scans a
// growing table sequentially, reads more rows than a page needs, or looks up names together with
// other things. It prints the plans as a table, and the time that pages take at the start, in the
// middle and at the end of the comments.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using Json = nlohmann::json;

// The largest page has 200 rows, the ranking of a search 1,000.
constexpr double kMaxRows = 1200;

// Statements of a batch of comment writes.
constexpr int kBulkStatements = 15;

const std::set<std::string> kSmallTables = {
    "article_feed", "audit_retention", "pg_class",          "pg_constraint",  "pg_extension",
    "pg_inherits",  "pg_namespace",    "request_retention", "search_language"};

// Probes that need more rows, and why.
const std::map<std::string, std::string> kExceptions = {
    {"SearchArticles: a common word", "finds the newest 1,000 of all that match"},
    {"SearchArticles: a common word, second page", "the same"},
    {"SearchArticles: all words but one", "the same"},
    {"VerifyCounters: art-1", "counts a million comments"},
    {"ImportComments: replies to any of a million", "looks at the ends of a million ids"},
    {"ListAuditEvents: person and action, start",
     "reads what the person has done until the page is full"},
    {"ListAuditEvents: person and action, middle",
     "reads what the person has done until the page is full"},
    {"ListAuditEvents: person and action, end",
     "reads what the person has done until the page is full"},
    {"ListAuditEvents: person and action, never together, start", "the same"},
    {"ListAuditEvents: person and action, never together, middle", "the same"},
    {"ListAuditEvents: person and action, never together, end", "the same"},
};

// ---- Calls of the store ----

struct Probe {
  std::string name;
  std::function<absl::Status(Store&)> run;
};

absl::Status StatusOf(const absl::Status& status) { return status; }
template <class T>
absl::Status StatusOf(const absl::StatusOr<T>& answer) {
  return answer.status();
}

// Calls a method of the store and returns its status.
template <class T, class Method>
Probe Ask(const std::string& name, Method method) {
  return {name, [method](Store& store) {
            return StatusOf(Await<T>([&](auto done) { method(store, std::move(done)); }));
          }};
}

// Calls a method of the store with 0, 1, 2 ... at once, so often that most calls share statements.
template <class T, class Method>
Probe AskTogether(const std::string& name, size_t count, Method method) {
  return {name, [=](Store& store) {
            std::vector<std::promise<absl::Status>> answers(count);
            for (size_t i = 0; i < count; ++i) {
              method(store, static_cast<int>(i),
                     Callback<T>([&answer = answers[i]](const typename Callback<T>::Answer& value) {
                       answer.set_value(StatusOf(value));
                     }));
            }
            absl::Status status;
            for (auto& answer : answers) status.Update(answer.get_future().get());
            return status;
          }};
}

// A list that is read page by page. `read` returns the key of the next page.
struct List {
  std::string name;
  std::function<absl::StatusOr<std::string>(Store&, const std::string& after_key, int page_size)>
      read;
};

List CommentsList(const std::string& name, v1::CommentOrder order, const std::string& reply_to_id) {
  const CommentRef reply_to{reply_to_id.empty() ? "" : "art-1", reply_to_id};
  return {name, [=](Store& store, const std::string& after_key, int page_size) {
            const CommentQuery query{.article_id = "art-1",
                                     .order = order,
                                     .reply_to = reply_to,
                                     .page_size = page_size,
                                     .after_key = after_key};
            const auto page = Await<CommentPage>(
                [&](auto done) { store.ListComments({}, query, std::move(done)); });
            return page.ok() ? absl::StatusOr<std::string>(page->page.next_key) : page.status();
          }};
}

List ArticlesList(const std::string& name, const ArticleQuery& query) {
  return {name, [=](Store& store, const std::string& after_key, int page_size) {
            ArticleQuery next = query;
            next.after_key = after_key;
            next.page_size = std::min(page_size, 100);
            const auto page = Await<Page<v1::Article>>(
                [&](auto done) { store.ListArticles({}, next, std::move(done)); });
            return page.ok() ? absl::StatusOr<std::string>(page->next_key) : page.status();
          }};
}

List AuditList(const std::string& name, const AuditQuery& query) {
  return {name, [=](Store& store, const std::string& after_key, int page_size) {
            AuditQuery next = query;
            next.after_key = after_key;
            next.page_size = page_size;
            const auto page = Await<Page<v1::AuditEvent>>(
                [&](auto done) { store.ListAuditEvents({}, next, std::move(done)); });
            return page.ok() ? absl::StatusOr<std::string>(page->next_key) : page.status();
          }};
}

const std::array<std::pair<const char*, v1::CommentOrder>, 3> kCommentOrders = {
    {{"newest", v1::COMMENT_ORDER_NEWEST},
     {"oldest", v1::COMMENT_ORDER_OLDEST},
     {"threaded", v1::COMMENT_ORDER_THREADED}}};

std::vector<List> CommentLists() {
  const std::string first_comment = "01980000-0000-7000-8000-000000000000";
  std::vector<List> lists;
  for (const auto& [name, order] : kCommentOrders) {
    lists.push_back(CommentsList(absl::StrCat("ListComments: ", name), order, ""));
    lists.push_back(
        CommentsList(absl::StrCat("ListComments: ", name, ", one thread"), order, first_comment));
  }
  return lists;
}

std::vector<List> OtherLists() {
  std::vector<List> lists;
  const absl::Time year_begin = absl::FromUnixSeconds(1'640'995'200);
  const std::vector<std::pair<std::string, ArticleQuery>> filters = {
      {"all", {}},
      {"a tag", {.tag = "tag-5"}},
      {"a tag of all", {.tag = "all"}},
      {"an author", {.author = "author-5"}},
      {"an author of half", {.author = "staff"}},
      {"author and tag", {.author = "author-5", .tag = "tag-5"}},
      {"author and a tag of all", {.author = "author-5", .tag = "all"}},
      {"author of half and tag", {.author = "staff", .tag = "tag-6"}},
      {"author of half and tag, never together", {.author = "staff", .tag = "tag-5"}},
      {"a year",
       {.published_after = year_begin, .published_before = year_begin + absl::Hours(8760)}},
      {"a tag in a year",
       {.tag = "tag-5",
        .published_after = year_begin,
        .published_before = year_begin + absl::Hours(8760)}},
  };
  for (const auto& [filter, query] : filters) {
    for (const auto order : {v1::ARTICLE_ORDER_NEWEST, v1::ARTICLE_ORDER_OLDEST}) {
      ArticleQuery ordered = query;
      ordered.order = order;
      const char* const name = order == v1::ARTICLE_ORDER_NEWEST ? "newest" : "oldest";
      lists.push_back(ArticlesList(absl::StrCat("ListArticles: ", filter, ", ", name), ordered));
    }
  }
  lists.push_back(ArticlesList("ListArticles: full", {.view = v1::ARTICLE_VIEW_FULL}));
  for (const auto& [name, state] : {std::pair("waiting", v1::COMMENT_STATE_PENDING),
                                    std::pair("hidden", v1::COMMENT_STATE_HIDDEN)}) {
    lists.push_back({absl::StrCat("ListModerationQueue: ", name),
                     [state = state](Store& store, const std::string& after_key, int page_size) {
                       const auto page = Await<Page<v1::Comment>>([&](auto done) {
                         store.ListModerationQueue(
                             {}, {.state = state, .page_size = page_size, .after_key = after_key},
                             std::move(done));
                       });
                       return page.ok() ? absl::StatusOr<std::string>(page->next_key)
                                        : page.status();
                     }});
  }
  lists.push_back({"ListModerationQueue: reported",
                   [](Store& store, const std::string& after_key, int page_size) {
                     const auto page = Await<Page<v1::Comment>>([&](auto done) {
                       store.ListModerationQueue({},
                                                 {.order = v1::MODERATION_ORDER_REPORTS,
                                                  .page_size = page_size,
                                                  .after_key = after_key},
                                                 std::move(done));
                     });
                     return page.ok() ? absl::StatusOr<std::string>(page->next_key) : page.status();
                   }});
  lists.push_back(
      {"ListBlockedAuthors", [](Store& store, const std::string& after_key, int page_size) {
         const auto page = Await<Page<v1::BlockedAuthor>>([&](auto done) {
           store.ListBlockedAuthors({}, page_size, after_key, std::move(done));
         });
         return page.ok() ? absl::StatusOr<std::string>(page->next_key) : page.status();
       }});
  const absl::Time time = absl::FromUnixMillis(1735689600000) + absl::Hours(24 * 100);
  for (const auto& [name, query] : std::vector<std::pair<std::string, AuditQuery>>{
           {"all", {}},
           {"of a month", {.start_time = time, .end_time = time + absl::Hours(24 * 30)}},
           {"article", {.article_id = "art-9"}},
           {"article and caller", {.article_id = "art-9", .caller = "dns:desk"}},
           {"caller", {.caller = "dns:cms"}},
           {"rare caller", {.caller = "cn:rare"}},
           {"missing caller", {.caller = "cn:none"}},
           {"caller and action", {.caller = "dns:desk", .action = v1::AUDIT_ACTION_BLOCK_AUTHOR}},
           {"caller and action, never together",
            {.caller = "dns:cms", .action = v1::AUDIT_ACTION_BLOCK_AUTHOR}},
           {"person", {.person_id = "ana"}},
           {"rare person", {.person_id = "rare"}},
           {"missing person", {.person_id = "nobody"}},
           {"person and action", {.person_id = "ana", .action = v1::AUDIT_ACTION_BLOCK_AUTHOR}},
           {"person and action, never together",
            {.person_id = "ben", .action = v1::AUDIT_ACTION_BLOCK_AUTHOR}},
           {"author", {.author_id = "blocked-7"}},
           {"missing author", {.author_id = "nobody"}},
           {"action", {.action = v1::AUDIT_ACTION_BLOCK_AUTHOR}},
           {"missing action", {.action = v1::AUDIT_ACTION_ERASE_AUTHOR}}}) {
    lists.push_back(AuditList("ListAuditEvents: " + name, query));
  }
  lists.push_back({"ExportAuthor", [](Store& store, const std::string& after_key, int) {
                     const auto page = Await<Page<v1::Comment>>([&](auto done) {
                       store.ExportAuthor({}, "heavy", after_key, std::move(done));
                     });
                     return page.ok() ? absl::StatusOr<std::string>(page->next_key) : page.status();
                   }});
  return lists;
}

// Keys of a list's pages at the start, in the middle and at the end.
struct Places {
  std::string start, middle, end;
};

Places PlacesIn(Store& store, const List& list) {
  std::vector<std::string> keys = {""};
  while (true) {
    const auto next = list.read(store, keys.back(), 200);
    EXPECT_TRUE(next.ok()) << list.name << ": " << next.status();
    if (!next.ok() || next->empty()) break;
    keys.push_back(*next);
  }
  return {.start = "", .middle = keys[keys.size() / 2], .end = keys.back()};
}

std::vector<Probe> PagesOf(const std::vector<List>& lists, Store& store) {
  std::vector<Probe> probes;
  for (const List& list : lists) {
    const Places places = PlacesIn(store, list);
    for (const auto& [place, key] :
         {std::pair("start", places.start), std::pair("middle", places.middle),
          std::pair("end", places.end)}) {
      probes.push_back({absl::StrCat(list.name, ", ", place), [list, key = key](Store& asked) {
                          return list.read(asked, key, 200).status();
                        }});
    }
  }
  return probes;
}

Probe Search(const std::string& name, const SearchQuery& query) {
  return Ask<Page<v1::SearchResult>>("SearchArticles: " + name, [=](Store& store, auto done) {
    store.SearchArticles({}, query, std::move(done));
  });
}

// Ends an export after some pages.
class ShortVisit : public ExportVisitor {
 public:
  bool Visit(StoredArticle /*article*/) override { return --left_ > 0; }
  bool Visit(v1::Comment /*comment*/) override { return --left_ > 0; }

 private:
  int left_ = 1100;
};

Probe ExportOf(const std::string& name, const ExportQuery& query) {
  return {absl::StrCat("Export: ", name), [query](Store& store) {
            ShortVisit visit;
            return Await<void>(
                [&](Callback<void> done) { store.Export({}, query, visit, std::move(done)); });
          }};
}

std::vector<Probe> Reads() {
  std::vector<Probe> probes;
  for (const auto& [name, view] :
       {std::pair("basic", v1::ARTICLE_VIEW_BASIC), std::pair("full", v1::ARTICLE_VIEW_FULL)}) {
    probes.push_back(Ask<std::optional<EncodedArticle>>(
        absl::StrCat("ReadArticle: ", name), [view = view](Store& store, auto done) {
          store.ReadArticle({}, "art-1", view, std::move(done));
        }));
  }
  probes.push_back(Ask<std::optional<ArticleState>>(
      "ReadArticleState",
      [](Store& store, auto done) { store.ReadArticleState({}, "art-1", std::move(done)); }));
  for (const auto& [name, order] : kCommentOrders) {
    probes.push_back(Ask<ArticlePage>(
        absl::StrCat("GetArticlePage: ", name), [order = order](Store& store, auto done) {
          store.GetArticlePage({}, v1::ARTICLE_VIEW_FULL,
                               {.article_id = "art-1", .order = order, .page_size = 200},
                               std::move(done));
        }));
  }
  probes.push_back(Ask<v1::Comment>("GetComment", [](Store& store, auto done) {
    store.GetComment({}, {"art-1", "01980000-0000-7000-8000-00000007a120"}, 0, std::move(done));
  }));
  for (const auto& [name, revision] :
       {std::pair("all", 0), std::pair("half", 500'000), std::pair("the last", 1'000'000),
        std::pair("none", 1'000'001)}) {
    probes.push_back(Ask<CommentChanges>(
        absl::StrCat("ReadCommentChanges: ", name), [revision = revision](Store& store, auto done) {
          store.ReadCommentChanges({}, "art-1", {.revision = revision}, std::move(done));
        }));
  }
  probes.push_back(Ask<std::vector<std::optional<ArticleState>>>(
      "ReadArticleStates: 1,000 articles", [](Store& store, auto done) {
        std::vector<std::string> ids;
        for (int i = 1; i <= 1000; ++i) ids.push_back(absl::StrCat("art-", i));
        store.ReadArticleStates({}, ids, std::move(done));
      }));
  const auto cursor = [](int64_t position, int64_t start_position) {
    return ArticleCursor{
        .position = position, .start_position = start_position, .known_position = position};
  };
  for (const auto& [name, after] :
       {std::pair("all", cursor(0, 100'000)), std::pair("half of all", cursor(50'000, 100'000)),
        std::pair("half of the feed", cursor(50'000, 0)), std::pair("none", cursor(100'000, 0))}) {
    probes.push_back(Ask<ArticleChanges>(absl::StrCat("ReadArticleChanges: ", name),
                                         [after = after](Store& store, auto done) {
                                           store.ReadArticleChanges({}, after, std::move(done));
                                         }));
  }
  probes.push_back(Ask<ArticleCursor>("GetArticleCursor", [](Store& store, auto done) {
    store.GetArticleCursor({}, std::move(done));
  }));
  probes.push_back(Search("a rare word", {.text = "number77777", .page_size = 50}));
  probes.push_back(Search("a common word", {.text = "title", .page_size = 50}));
  probes.push_back(
      Search("a common word, second page",
             {.text = "title", .page_size = 50, .after_key = "0.01/9000000000000000000"}));
  probes.push_back(Search("all words but one", {.text = "title -number5", .page_size = 50}));
  probes.push_back(Search("a phrase", {.text = "\"title number5\"", .page_size = 50}));
  probes.push_back(Search("alternatives", {.text = "number5 or number6", .page_size = 50}));
  probes.push_back(Search("in a language", {.text = "number5", .language = "en", .page_size = 50}));
  probes.push_back(Ask<InspectedArticle>("InspectArticle", [](Store& store, auto done) {
    store.InspectArticle({}, "new-3", std::move(done));
  }));
  probes.push_back(Ask<v1::Comment>("InspectComment", [](Store& store, auto done) {
    store.InspectComment({}, {"art-1", "01980000-0000-7000-8000-00000007a120"}, std::move(done));
  }));
  probes.push_back(ExportOf("all", {}));
  probes.push_back(ExportOf("art-1", {.article_id = "art-1"}));
  probes.push_back({"Check", [](Store& store) {
                      return Await<void>([&](auto done) { store.Check({}, std::move(done)); });
                    }});
  return probes;
}

// The comment of this number; they come in groups of ten (data.sql).
CommentRef CommentAt(int number) {
  return {"art-1", absl::StrFormat("01980000-0000-7000-8000-%012x", number)};
}

std::vector<Probe> ReadsTogether() {
  std::vector<Probe> probes;
  const auto name = [](int i) { return absl::StrCat("art-", 1 + 1000 * i); };
  for (const auto& [view_name, view] :
       {std::pair("basic", v1::ARTICLE_VIEW_BASIC), std::pair("full", v1::ARTICLE_VIEW_FULL)}) {
    probes.push_back(AskTogether<std::optional<EncodedArticle>>(
        absl::StrCat("ReadArticle: many, ", view_name), 64,
        [name, view = view](Store& store, int i, auto done) {
          store.ReadArticle({}, name(i), view, std::move(done));
        }));
  }
  probes.push_back(AskTogether<std::optional<ArticleState>>(
      "ReadArticleState: many", 64, [name](Store& store, int i, auto done) {
        store.ReadArticleState({}, name(i), std::move(done));
      }));
  probes.push_back(
      AskTogether<v1::Comment>("GetComment: many", 64, [](Store& store, int i, auto done) {
        store.GetComment({}, CommentAt(1000 * i), 0, std::move(done));
      }));
  return probes;
}

std::string RequestId(int number) {
  return absl::StrFormat("%08d-0000-4000-8000-000000000000", number);
}

NewComment MakeReply(const std::string& article_id, const std::string& reply_to_id) {
  NewComment comment;
  comment.article_id = article_id;
  if (!reply_to_id.empty()) comment.reply_to = {article_id, reply_to_id};
  comment.author.set_id("user-1");
  comment.author.set_display_name("A Reader");
  comment.body = "text";
  return comment;
}

Probe Add(const std::string& name, const std::string& reply_to_id, const RequestKey& request,
          bool validate_only = false) {
  return Ask<v1::Comment>("CreateComment: " + name, [=](Store& store, auto done) {
    NewComment comment = MakeReply("art-1", reply_to_id);
    comment.request = request;
    comment.validate_only = validate_only;
    store.CreateComment({}, comment, std::move(done));
  });
}

Probe Moderate(const std::string& name, const CommentRef& comment, v1::CommentState state) {
  return Ask<v1::Comment>("ModerateComment: " + name, [=](Store& store, auto done) {
    store.ModerateComment({}, {.comment = comment, .state = state}, std::move(done));
  });
}

Probe Report(const std::string& name, const CommentRef& comment, const std::string& reporter_id) {
  return Ask<void>("ReportComment: " + name, [=](Store& store, auto done) {
    store.ReportComment({}, {.comment = comment, .reporter_id = reporter_id}, std::move(done));
  });
}

Probe Delete(const std::string& name, const CommentDeletion& deletion) {
  return Ask<int64_t>("DeleteComment: " + name, [=](Store& store, auto done) {
    store.DeleteComment({}, deletion, std::move(done));
  });
}

Probe Publish(const std::string& name, const v1::Article& article, const PublishOptions& options) {
  return Ask<PublishedArticle>("PublishArticle: " + name, [=](Store& store, auto done) {
    store.PublishArticle({}, article, options, std::move(done));
  });
}

// Imports comments from another system, each a reply to the one before. The first one replies to
// one of these: a comment by its name, or what comments with this source id.
Probe Import(const std::string& name, const std::string& article_id, int first,
             const std::string& reply_to, const std::string& reply_to_source_id) {
  return Ask<v1::ImportCommentsResponse>("ImportComments: " + name, [=](Store& store, auto done) {
    CommentImport import{.article_id = article_id, .source = "disqus:forum"};
    for (int i = first; i < first + 200; ++i) {
      v1::ImportedComment& comment = import.comments.emplace_back();
      comment.set_source_id(absl::StrCat(i));
      comment.set_reply_to(i == first ? reply_to : "");
      comment.set_reply_to_source_id(i == first ? reply_to_source_id : absl::StrCat(i - 1));
      comment.mutable_author()->set_id("user-1");
      comment.mutable_author()->set_display_name("A Reader");
      comment.set_body("text");
      comment.set_state(v1::COMMENT_STATE_VISIBLE);
      comment.mutable_create_time()->set_seconds(1'600'000'000 + i);
    }
    store.ImportComments({}, std::move(import), std::move(done));
  });
}

std::vector<Probe> CommentWrites() {
  const int group = 170;
  const RequestKey request{.id = RequestId(1), .fingerprint = "aa"};
  return {
      Add("at the top", "", {}),
      Add("a reply to the first", CommentAt(0).comment_id, {}),
      Add("a reply five deep", CommentAt(group + 8).comment_id, request),
      Add("the same again", CommentAt(group + 8).comment_id, request),
      Add("only validated", CommentAt(0).comment_id, {}, /*validate_only=*/true),
      Ask<v1::Comment>("UpdateComment",
                       [=](Store& store, auto done) {
                         store.UpdateComment({},
                                             {.comment = CommentAt(group + 3),
                                              .body = "other words",
                                              .request = {.id = RequestId(2), .fingerprint = "aa"}},
                                             std::move(done));
                       }),
      Moderate("hide one five deep", CommentAt(group + 8), v1::COMMENT_STATE_HIDDEN),
      Moderate("show it again", CommentAt(group + 8), v1::COMMENT_STATE_VISIBLE),
      Report("first", CommentAt(group + 5), "reader-1"),
      Report("repeated", CommentAt(group + 5), "reader-1"),
      Moderate("settle the reports", CommentAt(group + 5), v1::COMMENT_STATE_VISIBLE),
      Import("new ones", "art-9", 0, "", ""),
      Import("the same again", "art-9", 0, "", ""),
      Import("replies to a source id", "art-9", 200, "", "7"),
      Import("replies to a name", "art-1", 0, CommentName("art-1", CommentAt(group + 8).comment_id),
             ""),
      Import("replies to any of a million", "art-1", 200, "", "7"),
      Ask<v1::BlockedAuthor>(
          "BlockAuthor",
          [](Store& store, auto done) { store.BlockAuthor({}, "troll", "spam", std::move(done)); }),
      Ask<void>("UnblockAuthor",
                [](Store& store, auto done) {
                  store.UnblockAuthor({}, "troll", false, std::move(done));
                }),
      Ask<ErasedComments>(
          "EraseAuthor: reports",
          [](Store& store, auto done) { store.EraseAuthor({}, {"reader-1"}, std::move(done)); }),
      Delete("with replies", {.comment = CommentAt(group + 4)}),
      Delete("of the first, which has 100,000 replies", {.comment = CommentAt(group + 9)}),
      Delete("what is not there",
             {.comment = {"art-1", "01990000-0000-7000-8000-000000000000"}, .allow_missing = true}),
      Ask<ErasedComments>(
          "EraseAuthor",
          [](Store& store, auto done) { store.EraseAuthor({}, {"heavy"}, std::move(done)); }),
      Ask<ErasedComments>(
          "EraseAuthor: of many articles",
          [](Store& store, auto done) { store.EraseAuthor({}, {"user-77"}, std::move(done)); }),
      Ask<ErasedComments>(
          "EraseAuthor: of the audit trail",
          [](Store& store, auto done) { store.EraseAuthor({}, {"editor-8"}, std::move(done)); }),
      Ask<int64_t>("ForgetAuditEvents",
                   [](Store& store, auto done) {
                     store.ForgetAuditEvents({}, absl::Hours(24), std::move(done));
                   }),
      // From the second article on.
      Ask<VerifiedCounters>("VerifyCounters: some articles",
                            [](Store& store, auto done) {
                              store.VerifyCounters({}, {.after_key = "2936012800004194303"},
                                                   std::move(done));
                            }),
      Ask<VerifiedCounters>("VerifyCounters: one article, repaired",
                            [](Store& store, auto done) {
                              store.VerifyCounters({}, {.article_id = "art-9", .repair = true},
                                                   std::move(done));
                            }),
      Ask<VerifiedCounters>("VerifyCounters: art-1",
                            [](Store& store, auto done) {
                              store.VerifyCounters({.deadline = SteadyNow() + absl::Minutes(1)},
                                                   {.article_id = "art-1"}, std::move(done));
                            }),
      Ask<ForgottenRequests>("ForgetRequests",
                             [](Store& store, auto done) {
                               store.ForgetRequests({}, absl::Hours(26), std::move(done));
                             }),
      Ask<ForgottenRequests>("ForgetRequests: none",
                             [](Store& store, auto done) {
                               store.ForgetRequests({}, absl::Hours(1000), std::move(done));
                             }),
      Ask<absl::Duration>(
          "ReleaseNextArticle",
          [](Store& store, auto done) { store.ReleaseNextArticle({}, std::move(done)); }),
  };
}

// Writes to forty groups of comments on art-1, and to forty other articles.
Probe CommentWritesTogether() {
  return AskTogether<v1::Comment>("Comments: many", 160, [](Store& store, int i, auto done) {
    const int number = i / 4;
    const int group = 1070 + 100 * number;
    const RequestKey request{.id = RequestId(100 + i), .fingerprint = "aa"};
    if (i % 4 == 0) {
      NewComment comment = MakeReply("art-1", CommentAt(group + 8).comment_id);
      comment.request = request;
      store.CreateComment({}, comment, std::move(done));
    } else if (i % 4 == 1) {
      const CommentRef comment = CommentAt(group + 6);
      store.UpdateComment({}, {.comment = comment, .body = "other words", .request = request},
                          std::move(done));
    } else if (i % 4 == 2) {
      const CommentRef comment = CommentAt(group + 3);
      store.ModerateComment({}, {.comment = comment, .state = v1::COMMENT_STATE_HIDDEN},
                            std::move(done));
    } else {
      store.CreateComment({}, MakeReply(absl::StrCat("art-", 10 + number), ""), std::move(done));
    }
  });
}

// What happens to comments that readers have reported: more reports, a judgement, and their end.
std::vector<Probe> ReportsTogether() {
  // None of these is by one of the authors whose comments were erased.
  const auto comment = [](int i) { return CommentAt(4081 + 30 * (i % 40)); };
  return {
      AskTogether<void>("ReportComment: many", 80,
                        [=](Store& store, int i, auto done) {
                          store.ReportComment(
                              {},
                              {.comment = comment(i), .reporter_id = absl::StrCat("new-", i / 40)},
                              std::move(done));
                        }),
      AskTogether<v1::Comment>(
          "ModerateComment: many", 40,
          [=](Store& store, int i, auto done) {
            store.ModerateComment({}, {.comment = comment(i), .state = v1::COMMENT_STATE_VISIBLE},
                                  std::move(done));
          }),
      AskTogether<int64_t>("DeleteComment: many", 40, [=](Store& store, int i, auto done) {
        store.DeleteComment({}, {.comment = comment(i)}, std::move(done));
      })};
}

std::vector<Probe> Publishing() {
  v1::Article article = MakeArticle("fresh", "Some text of an article.");
  article.add_tags("all");
  v1::Article replaced = article;
  replaced.set_title("Another title");
  ArticleEdit edit;
  edit.id = "art-10";
  edit.paths = {"title"};
  edit.article.set_title("Edited");
  edit.request = {.id = RequestId(3), .fingerprint = "aa"};
  return {
      Publish("new", article, {.request = {.id = RequestId(4), .fingerprint = "aa"}}),
      Publish("the same", article, {}),
      Publish("replaced", replaced, {}),
      Publish("only validated", article, {.validate_only = true}),
      Ask<v1::Article>(
          "UpdateArticle",
          [=](Store& store, auto done) { store.UpdateArticle({}, edit, std::move(done)); }),
      Ask<v1::Article>("RenameArticle",
                       [=](Store& store, auto done) {
                         store.RenameArticle({}, {.id = "fresh", .new_id = "other"},
                                             std::move(done));
                       }),
      Ask<int64_t>("RetractArticle",
                   [=](Store& store, auto done) {
                     store.RetractArticle({}, {.id = "fresh"}, std::move(done));
                   }),
  };
}

// ---- Plans ----

struct Plan {
  std::string query;
  double milliseconds;
  Json root;
};

bool SetsUpSession(const Plan& plan) {
  return absl::StartsWith(absl::StripLeadingAsciiWhitespace(plan.query), "SET ");
}

// The plans in a part of the server's log. The line before a plan ends with "plan:", and the plan's
// own lines are indented.
std::vector<Plan> ReadPlans(std::istream& log) {
  std::vector<Plan> plans;
  std::string line;
  for (bool more = bool(std::getline(log, line)); more;) {
    const size_t duration = line.find("duration: ");
    const bool begins = duration != std::string::npos && absl::EndsWith(line, "plan:");
    const std::string heading = line;
    std::string json;
    while ((more = bool(std::getline(log, line))) && absl::StartsWith(line, "\t")) {
      absl::StrAppend(&json, line.substr(1), "\n");
    }
    if (!begins) continue;
    const Json explained = Json::parse(json);
    Plan plan{explained["Query Text"], std::stod(heading.substr(duration + 10)), explained["Plan"]};
    if (!SetsUpSession(plan)) plans.push_back(std::move(plan));
  }
  return plans;
}

// Whether this is a BulkStatement in its form for many rows (bulk.h).
bool IsForManyRows(const std::string& query) {
  return absl::StrContains(query, "unnest(") && absl::StrContains(query, " AS n (");
}

// A plan's node as text, with its rows and the nodes below it.
std::string Describe(const Json& node) {
  std::string text = node["Node Type"];
  if (text == "ModifyTable") text = node["Operation"];
  if (node.contains("Index Name")) {
    absl::StrAppend(&text, " ", std::string(node["Index Name"]));
  } else if (node.contains("Relation Name")) {
    absl::StrAppend(&text, " ", std::string(node["Relation Name"]));
  }
  absl::StrAppend(&text, " ", node.value("Actual Rows", 0.0) * node.value("Actual Loops", 0.0));
  std::vector<std::string> inputs;
  for (const Json& input : node.value("Plans", Json::array())) {
    if (input.value("Actual Loops", 0.0) > 0) inputs.push_back(Describe(input));
  }
  if (inputs.empty()) return text;
  if (inputs.size() == 1) return absl::StrCat(text, " < ", inputs.front());
  return absl::StrCat(text, " < (", absl::StrJoin(inputs, ", "), ")");
}

// The largest number of rows that a node of the plan has read.
double MaxRows(const Json& node) {
  double rows = node.value("Actual Rows", 0.0);
  for (const char* removed :
       {"Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck"}) {
    rows += node.value(removed, 0.0);
  }
  double most = rows * node.value("Actual Loops", 0.0);
  for (const Json& input : node.value("Plans", Json::array())) {
    most = std::max(most, MaxRows(input));
  }
  return most;
}

bool ScansWholeTable(const Json& node) {
  const std::string table = node.value("Relation Name", "");
  if (node["Node Type"] == "Seq Scan" && !kSmallTables.contains(table)) return true;
  const Json inputs = node.value("Plans", Json::array());
  return std::any_of(inputs.begin(), inputs.end(), ScansWholeTable);
}

// Adds the tables that the plan reads or changes.
void AddTables(const Json& node, std::set<std::string>& tables) {
  if (node.contains("Relation Name")) tables.insert(node["Relation Name"]);
  for (const Json& input : node.value("Plans", Json::array())) AddTables(input, tables);
}

// The beginning of a statement, on one line.
std::string Shortened(const std::string& query) {
  std::string text = absl::StrReplaceAll(query, {{"\n", " "}});
  absl::RemoveExtraAsciiWhitespace(&text);
  return text.substr(0, 36);
}

// Contents of a file in tests/.
std::string TextOf(absl::string_view name) {
  std::ifstream file(absl::StrCat(CONTENT_SOURCE_DIR, "/tests/", name));
  return {std::istreambuf_iterator<char>(file), {}};
}

class PlansTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    url_ = testing::NewDatabase();
    testing::Session session(url_);
    session.Run("BEGIN;" + TextOf("support/without_indexes.sql") + TextOf("plans/data.sql") +
                "COMMIT");
    session.Run("VACUUM ANALYZE");
    session.Run("CHECKPOINT");
    const auto store = Open();
    comment_pages_ = PagesOf(CommentLists(), *store);
    other_pages_ = PagesOf(OtherLists(), *store);
  }

  // Makes a setting for all future connections.
  static void Set(const std::string& url, const std::string& setting) {
    testing::Query(url,
                   absl::StrCat("ALTER DATABASE ", testing::Query(url, "SELECT current_database()"),
                                " SET ", setting));
  }

  static std::unique_ptr<Store> Open() {
    return *NewPostgresStore({.url = url_, .statement_timeout = absl::Minutes(2)});
  }

  // Opens a store whose sessions log the plan of every statement.
  static std::unique_ptr<Store> OpenExplained(PostgresOptions options) {
    for (const char* setting :
         {"session_preload_libraries = auto_explain", "auto_explain.log_min_duration = 0",
          "auto_explain.log_analyze = on", "auto_explain.log_format = json"}) {
      Set(options.url, setting);
    }
    options.statement_timeout = absl::Minutes(2);
    return *NewPostgresStore(options);
  }

  // Checks the plans of all probes, prints the largest plan of each statement, and returns the
  // statements.
  static std::set<std::string> Explain(Store& store, const std::vector<Probe>& probes) {
    std::set<std::string> statements;
    for (const Probe& probe : probes) {
      std::ifstream log(testing::ScratchDirectory() + "/db/postgres.log");
      log.seekg(0, std::ios::end);
      const absl::Status status = probe.run(store);
      EXPECT_TRUE(status.ok()) << probe.name << ": " << status;
      const std::vector<Plan> plans = ReadPlans(log);
      EXPECT_FALSE(plans.empty()) << probe.name;
      std::map<std::string, int> times;  // number of runs of each statement
      std::map<std::string, const Plan*> largest;
      for (const Plan& plan : plans) {
        Check(probe.name, plan);
        ++times[plan.query];
        const Plan*& most = largest[plan.query];
        if (most == nullptr || MaxRows(most->root) < MaxRows(plan.root)) most = &plan;
        statements.insert(plan.query);
      }
      for (const Plan& plan : plans) {
        const int count = std::exchange(times[plan.query], 0);
        if (count > 0) Print(probe.name, *largest[plan.query], count);
      }
    }
    return statements;
  }

  static std::string url_;
  static std::vector<Probe> comment_pages_;
  static std::vector<Probe> other_pages_;

 private:
  static void Print(const std::string& name, const Plan& plan, int count) {
    std::cout << absl::StrFormat("%-56s %-36s %5d %9.3f %8.0f  %s\n", name, Shortened(plan.query),
                                 count, plan.milliseconds, MaxRows(plan.root), Describe(plan.root));
  }

  static void Check(const std::string& name, const Plan& plan) {
    std::set<std::string> tables;
    AddTables(plan.root, tables);
    EXPECT_TRUE(tables.size() == 1 || !tables.contains("article_name"))
        << name << " looks up names and other things: " << Describe(plan.root);
    if (kExceptions.contains(name)) return;
    EXPECT_FALSE(ScansWholeTable(plan.root)) << name << ": " << Describe(plan.root);
    EXPECT_LE(MaxRows(plan.root), kMaxRows) << name << ": " << Describe(plan.root);
  }
};

std::string PlansTest::url_;
std::vector<Probe> PlansTest::comment_pages_;
std::vector<Probe> PlansTest::other_pages_;

double MillisecondsOf(const Probe& probe, Store& store) {
  const absl::Time begin = absl::Now();
  EXPECT_TRUE(probe.run(store).ok()) << probe.name;
  return absl::ToDoubleMilliseconds(absl::Now() - begin);
}

TEST_F(PlansTest, PagesCostTheSameEverywhere) {
  constexpr int kRuns = 101;
  const auto store = Open();
  std::cout << absl::StrFormat("\n%-40s %9s %9s %9s\n", "pages of 200, median ms", "start",
                               "middle", "end");
  for (size_t i = 0; i < comment_pages_.size(); i += 3) {
    std::array<std::vector<double>, 3> times;
    for (int run = 0; run < kRuns; ++run) {  // in turns, so that disturbances affect all alike
      for (size_t place = 0; place < 3; ++place) {
        times[place].push_back(MillisecondsOf(comment_pages_[i + place], *store));
      }
    }
    for (auto& sorted : times) std::sort(sorted.begin(), sorted.end());
    const double start = times[0][kRuns / 2];
    const double middle = times[1][kRuns / 2];
    const double end = times[2][kRuns / 2];
    const std::string name = comment_pages_[i].name.substr(0, comment_pages_[i].name.rfind(','));
    std::cout << absl::StrFormat("%-40s %9.2f %9.2f %9.2f\n", name, start, middle, end);
    EXPECT_LT(std::max(middle, end), 2 * start + 1) << name;
  }
}

TEST_F(PlansTest, EveryStatementIsServedByAnIndex) {
  std::vector<Probe> reads = other_pages_;
  reads.insert(reads.end(), comment_pages_.begin(), comment_pages_.end());
  for (Probe& probe : Reads()) reads.push_back(std::move(probe));
  for (Probe& probe : ReadsTogether()) reads.push_back(std::move(probe));
  const auto explained = OpenExplained({.url = url_});
  for (const Probe& probe : reads) EXPECT_TRUE(probe.run(*explained).ok());  // warm-up
  std::cout << absl::StrFormat("\n%-56s %-36s %5s %9s %8s  %s\n", "", "statement", "times", "ms",
                               "rows", "plan, with the rows that each step gave");
  Explain(*explained, reads);
  Explain(*explained, CommentWrites());
  std::set<std::string> bulk;  // without the form that it has if rows share their bucket
  std::vector<Probe> together = ReportsTogether();
  together.push_back(CommentWritesTogether());
  for (const std::string& query : Explain(*explained, together)) {
    if (IsForManyRows(query)) bulk.insert(Shortened(query));
  }
  EXPECT_EQ(bulk.size(), kBulkStatements);
  Explain(*explained, Publishing());
}

// Statistics of empty tables make it cheapest to read them whole, and a plan is kept for a while.
TEST_F(PlansTest, APlanOfAnEmptyTableServesAFullOne) {
  constexpr char kFillToday[] =
      "INSERT INTO request (bucket, article_key, request_id, revision, outcome, fingerprint) "
      "SELECT n & 255, n, gen_random_uuid(), 1, 0, '' FROM generate_series(1, 10000) AS n";
  const std::string url = testing::NewDatabase();
  testing::Query(url, "ANALYZE");
  const auto explained = OpenExplained({.url = url, .write_connections = 1});
  ASSERT_TRUE(Publish("", MakeArticle("art-1", "Some text."), {}).run(*explained).ok());
  const auto add = [](int number) {
    return Add("", "", {.id = RequestId(number), .fingerprint = "aa"});
  };
  EXPECT_TRUE(add(1).run(*explained).ok());
  testing::Query(url, kFillToday);
  Explain(*explained, {add(2)});
}

}  // namespace
}  // namespace content::store
