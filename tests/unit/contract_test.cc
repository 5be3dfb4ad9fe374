// What the contract tells machines: how each field behaves, which resources there are, and, in the
// service config, which calls clients may repeat. A test in tests/e2e/behavior_test.cc holds the
// server to the first; tests/clients/run --restarts tries the last.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"
#include "content/v1/content_service.pb.h"
#include "google/api/field_behavior.pb.h"
#include "google/api/resource.pb.h"
#include "google/protobuf/descriptor.h"

namespace content {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using ::testing::ElementsAre;

std::vector<const FileDescriptor*> Files() {
  return {v1::Article::descriptor()->file(), v1::Comment::descriptor()->file(),
          v1::GetArticleRequest::descriptor()->file(),
          v1::PublishArticleRequest::descriptor()->file()};
}

std::vector<const FieldDescriptor*> AllFields() {
  std::vector<const FieldDescriptor*> fields;
  for (const FileDescriptor* const file : Files()) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor& message = *file->message_type(i);
      for (int j = 0; j < message.field_count(); ++j) fields.push_back(message.field(j));
    }
  }
  return fields;
}

std::vector<const MethodDescriptor*> AllMethods() {
  std::vector<const MethodDescriptor*> methods;
  for (const FileDescriptor* const file : Files()) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(file->service(i)->method(j));
      }
    }
  }
  return methods;
}

std::set<int> BehaviorsOf(const FieldDescriptor& field) {
  std::set<int> behaviors;
  for (int i = 0; i < field.options().ExtensionSize(google::api::field_behavior); ++i) {
    behaviors.insert(field.options().GetExtension(google::api::field_behavior, i));
  }
  return behaviors;
}

// The comment above each declaration of a proto file, by its full name: `Article.title`.
std::map<std::string, std::string> CommentsOf(const FileDescriptor& file) {
  static const std::regex declaration(
      R"(\s*(?:(message|enum|service) (\w+) \{.*|rpc (\w+)\(.*|(?:repeated )?[\w.<>, ]+ (\w+) = \d+.*|(\w+) = \d+;))");
  std::map<std::string, std::string> comments;
  std::ifstream lines(absl::StrCat(CONTENT_SOURCE_DIR, "/proto/", file.name()));
  std::string parent;
  std::string comment;
  for (std::string line; std::getline(lines, line);) {
    const std::string text(absl::StripAsciiWhitespace(line));
    std::smatch parts;
    if (absl::StartsWith(text, "//")) {
      absl::StrAppend(&comment, comment.empty() ? "" : " ",
                      absl::StripAsciiWhitespace(text.substr(2)));
      continue;
    }
    if (std::regex_match(line, parts, declaration)) {
      if (parts[1].matched) {
        parent = parts[2];
        comments[parent] = comment;
      } else {
        comments[absl::StrCat(parent, ".", parts[3].str(), parts[4].str(), parts[5].str())] =
            comment;
      }
    }
    comment.clear();
  }
  return comments;
}

std::map<std::string, std::string> AllComments() {
  std::map<std::string, std::string> comments;
  for (const FileDescriptor* const file : Files()) comments.merge(CommentsOf(*file));
  return comments;
}

std::string NameIn(const FieldDescriptor& field) {
  return absl::StrCat(field.containing_type()->name(), ".", field.name());
}

TEST(Contract, EveryFieldSaysHowItBehaves) {
  const std::set<int> main_behaviors = {google::api::REQUIRED, google::api::OPTIONAL,
                                        google::api::OUTPUT_ONLY, google::api::IDENTIFIER};
  for (const FieldDescriptor* const field : AllFields()) {
    const std::set<int> behaviors = BehaviorsOf(*field);
    EXPECT_EQ(std::count_if(behaviors.begin(), behaviors.end(),
                            [&](int behavior) { return main_behaviors.contains(behavior); }),
              1)
        << field->full_name();
    const bool is_output = behaviors.contains(google::api::OUTPUT_ONLY);
    const std::string& message = field->containing_type()->name();
    EXPECT_TRUE(is_output || !absl::EndsWith(message, "Response")) << field->full_name();
    EXPECT_FALSE(is_output && absl::EndsWith(message, "Request")) << field->full_name();
  }
  EXPECT_GT(AllFields().size(), 150);
}

TEST(Contract, CommentsSayTheSameAsTheAnnotations) {
  const auto comments = AllComments();
  for (const FieldDescriptor* const field : AllFields()) {
    const std::set<int> behaviors = BehaviorsOf(*field);
    const std::string& comment = comments.at(NameIn(*field));
    EXPECT_EQ(absl::StartsWith(comment, "Required."), behaviors.contains(google::api::REQUIRED))
        << field->full_name();
    if (absl::StartsWith(comment, "Output only")) {
      EXPECT_EQ(behaviors.contains(google::api::OUTPUT_ONLY),
                !absl::StartsWith(comment, "Output only, except"))
          << field->full_name();
    }
  }
}

TEST(Contract, EverythingHasAComment) {
  const auto comments = AllComments();
  for (const auto& [name, comment] : comments) EXPECT_NE(comment, "") << name;
  const auto expect_comment = [&comments](const std::string& name) {
    EXPECT_TRUE(comments.contains(name)) << name << " was not found in its proto file";
  };
  for (const FieldDescriptor* const field : AllFields()) expect_comment(NameIn(*field));
  for (const FileDescriptor* const file : Files()) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      expect_comment(file->message_type(i)->name());
    }
    for (int i = 0; i < file->enum_type_count(); ++i) {
      expect_comment(file->enum_type(i)->name());
      for (int j = 0; j < file->enum_type(i)->value_count(); ++j) {
        expect_comment(
            absl::StrCat(file->enum_type(i)->name(), ".", file->enum_type(i)->value(j)->name()));
      }
    }
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        expect_comment(
            absl::StrCat(file->service(i)->name(), ".", file->service(i)->method(j)->name()));
      }
    }
  }
}

TEST(Contract, ArticlesAndCommentsAreResources) {
  const auto& article = v1::Article::descriptor()->options().GetExtension(google::api::resource);
  EXPECT_EQ(article.type(), "content.v1/Article");
  EXPECT_THAT(article.pattern(), ElementsAre("articles/{article}"));
  const auto& comment = v1::Comment::descriptor()->options().GetExtension(google::api::resource);
  EXPECT_EQ(comment.type(), "content.v1/Comment");
  EXPECT_THAT(comment.pattern(), ElementsAre("articles/{article}/comments/{comment}"));
}

// A field whose comment has a name's pattern, or that has the name of such a field everywhere.
TEST(Contract, FieldsThatNameAResourceReferToIt) {
  const std::set<std::string> names = {"name",     "names",        "parent",        "reply_to",
                                       "new_name", "former_names", "missing_names", "previous_name",
                                       "article",  "comment"};
  for (const FieldDescriptor* const field : AllFields()) {
    const Descriptor& message = *field->containing_type();
    const bool is_identifier = BehaviorsOf(*field).contains(google::api::IDENTIFIER);
    EXPECT_EQ(is_identifier,
              message.options().HasExtension(google::api::resource) && field->name() == "name")
        << field->full_name();
    if (is_identifier || message.name() == "PoolInfo") continue;
    const bool refers = field->options().HasExtension(google::api::resource_reference);
    const bool is_text = field->type() == FieldDescriptor::TYPE_STRING;
    EXPECT_EQ(refers, is_text && names.contains(field->name())) << field->full_name();
    if (field->name() == "parent") {
      EXPECT_EQ(field->options().GetExtension(google::api::resource_reference).child_type(),
                "content.v1/Comment");
    }
  }
}

nlohmann::json ServiceConfig() {
  std::ifstream file(absl::StrCat(CONTENT_SOURCE_DIR, "/proto/content/v1/service_config.json"));
  return nlohmann::json::parse(file);
}

// The settings of each method that the service config names, by the method's full name.
std::map<std::string, nlohmann::json> MethodConfigs() {
  const nlohmann::json all = ServiceConfig();
  std::map<std::string, nlohmann::json> configs;
  for (const auto& config : all.at("methodConfig")) {
    for (const auto& name : config.at("name")) {
      const std::string method = absl::StrCat(name.at("service").get<std::string>(), ".",
                                              name.at("method").get<std::string>());
      EXPECT_TRUE(configs.emplace(method, config).second) << method << " is there twice";
    }
  }
  return configs;
}

TEST(ServiceConfig, BalancesAmongTheServersThatAreHealthy) {
  const nlohmann::json config = ServiceConfig();
  EXPECT_EQ(config.at("loadBalancingConfig"), nlohmann::json::parse(R"([{"round_robin": {}}])"));
  EXPECT_EQ(config.at("healthCheckConfig").at("serviceName"),
            v1::GetArticleRequest::descriptor()->file()->service(0)->full_name());
  EXPECT_TRUE(config.contains("retryThrottling"));
}

// A program that starts a long run decides itself whether to start it again.
TEST(ServiceConfig, HasEveryMethodExceptLongRuns) {
  auto configs = MethodConfigs();
  for (const MethodDescriptor* const method : AllMethods()) {
    const bool is_long_run =
        method->server_streaming() && !absl::StartsWith(method->name(), "Watch");
    EXPECT_EQ(configs.erase(method->full_name()), is_long_run ? 0 : 1) << method->full_name();
  }
  EXPECT_THAT(configs, ::testing::IsEmpty()) << "not in the contract";
}

TEST(ServiceConfig, OnlyWatchesHaveNoTimeout) {
  const auto configs = MethodConfigs();
  for (const MethodDescriptor* const method : AllMethods()) {
    const auto config = configs.find(method->full_name());
    if (config == configs.end()) continue;
    EXPECT_EQ(config->second.contains("timeout"), !method->server_streaming())
        << method->full_name();
  }
}

// The other codes that README lists for a retry have reasons which the client must look at.
TEST(ServiceConfig, RepeatsOnlyWhatAServerThatIsGoneLeft) {
  for (const auto& [method, config] : MethodConfigs()) {
    EXPECT_EQ(config.at("retryPolicy").at("retryableStatusCodes"),
              nlohmann::json({"UNAVAILABLE", "CANCELLED"}))
        << method;
    EXPECT_FALSE(config.contains("hedgingPolicy")) << method << ": most languages cannot";
  }
}

// A repeated CreateComment adds no second comment, because it can carry a request_id.
TEST(ServiceConfig, RepeatsOnlyReadsAndWritesThatCanBeKeyedOrChangeNothingTwice) {
  const std::set<std::string> reads = {"Get", "BatchGet", "List", "Search", "Watch", "Inspect"};
  const std::set<std::string> change_nothing_twice = {
      "ReportComment", "BlockAuthor", "UnblockAuthor", "ImportComments", "OverrideLogLevel"};
  const auto configs = MethodConfigs();
  for (const MethodDescriptor* const method : AllMethods()) {
    if (!configs.contains(method->full_name())) continue;
    const bool is_read = std::any_of(reads.begin(), reads.end(), [&](const std::string& verb) {
      return absl::StartsWith(method->name(), verb);
    });
    if (change_nothing_twice.contains(method->name())) continue;
    EXPECT_NE(is_read, method->input_type()->FindFieldByName("request_id") != nullptr)
        << method->full_name();
  }
}

// Callers pass it as `min_revision`. The comments of ContentService list the four places.
TEST(Contract, EveryWriteAnswersWithTheRevisionOfItsArticle) {
  const std::string listed = AllComments().at("ContentService");
  std::set<std::string> places;
  for (const MethodDescriptor* const method : AllMethods()) {
    if (method->input_type()->FindFieldByName("request_id") == nullptr) continue;
    const Descriptor& answer = *method->output_type();
    std::string place;
    for (const char* const name : {"article_revision", "revision"}) {
      if (answer.FindFieldByName(name) != nullptr) place = name;
    }
    if (answer.FindFieldByName("article") != nullptr) place = "article.revision";
    if (answer.FindFieldByName("comment") != nullptr) place = "comment.article_revision";
    EXPECT_THAT(listed, ::testing::ContainsRegex(
                            absl::StrCat("`", place, "` \\([^)]*", method->name(), "[,)]")));
    places.insert(place);
  }
  EXPECT_EQ(places.size(), 4);
}

}  // namespace
}  // namespace content
