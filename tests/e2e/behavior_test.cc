// Holds the server to what the proto files tell machines about fields (google.api.field_behavior).
// The requests are made from the annotations alone, so a new RPC or field is covered without a
// change here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/api/field_behavior.pb.h"
#include "google/api/resource.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/methods.h"

namespace content::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldMask;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::Timestamp;
using ::testing::HasSubstr;
using ::testing::Not;

// Values that callers set in fields that only the service sets.
constexpr char kJunk[] = "of-no-use";
constexpr int kJunkNumber = 987'654;

bool Is(const FieldDescriptor& field, google::api::FieldBehavior behavior) {
  const auto& options = field.options();
  for (int i = 0; i < options.ExtensionSize(google::api::field_behavior); ++i) {
    if (options.GetExtension(google::api::field_behavior, i) == behavior) return true;
  }
  return false;
}

bool IsOurs(const FieldDescriptor& field) {
  return absl::StartsWith(field.message_type()->full_name(), "content.v1.");
}

std::unique_ptr<Message> New(const Descriptor& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

// The resources that a request refers to. Every request gets its own.
struct Subject {
  std::string article_name;
  std::string comment_name;
};

// Returns a value for a text: a name of the resource that it refers to, or some word.
std::string TextFor(const FieldDescriptor& field, const Subject& subject) {
  if (field.name() == "new_name") return subject.article_name + "-renamed";
  if (Is(field, google::api::IDENTIFIER)) {
    return field.containing_type() == v1::Comment::descriptor() ? subject.comment_name
                                                                : subject.article_name;
  }
  const auto& reference = field.options().GetExtension(google::api::resource_reference);
  if (reference.type() == "content.v1/Comment") return subject.comment_name;
  if (!reference.type().empty() || !reference.child_type().empty()) return subject.article_name;
  return "text";
}

// Sets the fields that must be set, those by which a resource is found, and one element of each
// list of messages.
void FillIn(const Subject& subject, Message& message) {
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const bool is_list = is_message && field.is_repeated() && !Is(field, google::api::OUTPUT_ONLY);
    if (!Is(field, google::api::REQUIRED) && !Is(field, google::api::IDENTIFIER) && !is_list) {
      continue;
    }
    if (is_message) {
      FillIn(subject, field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                          : *reflection.MutableMessage(&message, &field));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      reflection.SetEnumValue(&message, &field, 1);
    } else if (field.is_repeated()) {
      reflection.AddString(&message, &field, TextFor(field, subject));
    } else {
      reflection.SetString(&message, &field, TextFor(field, subject));
    }
  }
}

// Visits the messages of ours in `message`, itself first, each with its path: `article.authors[0]`.
using Visitor = std::function<void(Message& message, const std::string& path)>;
void VisitMessages(Message& message, const std::string& path, const Visitor& visit) {
  visit(message, path);
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* const field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || !IsOurs(*field)) continue;
    const std::string name = absl::StrCat(path, path.empty() ? "" : ".", field->name());
    if (!field->is_repeated()) {
      VisitMessages(*reflection.MutableMessage(&message, field), name, visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      VisitMessages(*reflection.MutableRepeatedMessage(&message, field, i),
                    absl::StrCat(name, "[", i, "]"), visit);
    }
  }
}

// Sets a field to a value that no answer can have.
void SetJunk(Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&message, &field, kJunk);
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&message, &field, kJunkNumber);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(&message, &field, kJunkNumber);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(&message, &field, kJunkNumber);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      Message& part = field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                          : *reflection.MutableMessage(&message, &field);
      if (!IsOurs(field)) {
        return SetJunk(part, *Timestamp::descriptor()->FindFieldByName("seconds"));
      }
      for (int i = 0; i < part.GetDescriptor()->field_count(); ++i) {
        SetJunk(part, *part.GetDescriptor()->field(i));
      }
      return;
    }
    default:
      ADD_FAILURE() << "no value for " << field.full_name();
  }
}

class BehaviorTest : public ::testing::Test {
 protected:
  void SetUp() override { AwaitServing(client_); }

  Subject NewSubject(const std::string& id) {
    EXPECT_TRUE(client_.Publish(MakeArticle(id)).ok());
    v1::CreateCommentResponse response;
    EXPECT_TRUE(client_.Create(MakeCommentRequest(id, "text"), &response).ok());
    return {"articles/" + id, response.comment().name()};
  }

  // A request of the fields that must be set, for an article and a comment of its own.
  std::unique_ptr<Message> NewRequest(const MethodDescriptor& method) {
    std::unique_ptr<Message> request = New(*method.input_type());
    FillIn(NewSubject(absl::StrCat(absl::AsciiStrToLower(method.name()), "-", ++subjects_)),
           *request);
    return request;
  }

  grpc::Status Call(const MethodDescriptor& method, const Message& request,
                    std::string* response = nullptr) const {
    return CallWithBytes(client_,
                         absl::StrCat("/", method.service()->full_name(), "/", method.name()),
                         request.SerializeAsString(), response);
  }

  // Everything that is stored, as text.
  std::string Stored() const {
    std::string text;
    for (const char* const table : {"article", "article_label", "article_state", "audit_event",
                                    "author_block", "comment", "comment_report", "request"}) {
      absl::StrAppend(
          &text, Query(url_, absl::StrCat("SELECT string_agg(t::text, ' ') FROM ", table, " t")));
    }
    return text;
  }

  const std::string url_ = NewDatabase();
  ContentdServer server_{{"--database-url", url_}};
  Client client_{server_.address()};

 private:
  int subjects_ = 0;
};

TEST_F(BehaviorTest, RequestsNeedOnlyTheirRequiredFields) {
  for (const MethodDescriptor* const method : AllMethods()) {
    if (method->server_streaming()) continue;
    const grpc::Status status = Call(*method, *NewRequest(*method));
    EXPECT_TRUE(status.ok()) << method->name() << ": " << status.error_message();
  }
}

TEST_F(BehaviorTest, ARequestWithoutARequiredFieldIsRefused) {
  int refused = 0;
  for (const MethodDescriptor* const method : AllMethods()) {
    const std::unique_ptr<Message> request = NewRequest(*method);
    // An update needs only the fields that it changes. Let it change all.
    const FieldDescriptor* const mask = method->input_type()->FindFieldByName("update_mask");
    if (mask != nullptr) {
      static_cast<FieldMask*>(request->GetReflection()->MutableMessage(request.get(), mask))
          ->add_paths("*");
    }
    VisitMessages(*request, "", [&](Message& message, const std::string& path) {
      for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
        const FieldDescriptor& field = *message.GetDescriptor()->field(i);
        const bool changes = mask == nullptr || !Is(field, google::api::IMMUTABLE);
        const bool finds = mask != nullptr && Is(field, google::api::IDENTIFIER);
        if (!finds && !(Is(field, google::api::REQUIRED) && changes)) continue;
        const std::string name = absl::StrCat(path, path.empty() ? "" : ".", field.name());
        const std::unique_ptr<Message> whole(message.New());
        whole->CopyFrom(message);
        message.GetReflection()->ClearField(&message, &field);
        const grpc::Status status = Call(*method, *request);
        message.CopyFrom(*whole);
        EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
            << method->name() << " without " << name << ": " << status.error_message();
        for (const std::string& bad : BadFields(status)) {
          EXPECT_TRUE(bad == name || absl::StartsWith(bad, name + "."))
              << method->name() << " without " << name << " blames " << bad;
        }
        ++refused;
      }
    });
  }
  EXPECT_GT(refused, 30);
}

TEST_F(BehaviorTest, FieldsThatOnlyTheServiceSetsAreIgnored) {
  int ignored = 0;
  for (const MethodDescriptor* const method : AllMethods()) {
    if (method->server_streaming()) continue;
    const std::unique_ptr<Message> request = NewRequest(*method);
    const auto for_each = [](Message& message, const auto& visit) {
      VisitMessages(message, "", [&](Message& part, const std::string&) {
        if (!part.GetDescriptor()->options().HasExtension(google::api::resource)) return;
        for (int i = 0; i < part.GetDescriptor()->field_count(); ++i) {
          const FieldDescriptor& field = *part.GetDescriptor()->field(i);
          if (Is(field, google::api::OUTPUT_ONLY)) visit(part, field);
        }
      });
    };
    for_each(*request, [&](Message& part, const FieldDescriptor& field) {
      SetJunk(part, field);
      ++ignored;
    });
    std::string bytes;
    const grpc::Status status = Call(*method, *request, &bytes);
    EXPECT_TRUE(status.ok()) << method->name() << ": " << status.error_message();
    const std::unique_ptr<Message> response = New(*method->output_type());
    ASSERT_TRUE(response->ParseFromString(bytes));
    EXPECT_THAT(response->DebugString(), Not(HasSubstr(kJunk))) << method->name();
    EXPECT_THAT(response->DebugString(), Not(HasSubstr(absl::StrCat(kJunkNumber))))
        << method->name();
  }
  EXPECT_GT(ignored, 20);
  EXPECT_THAT(Stored(), Not(HasSubstr(kJunk)));
  EXPECT_THAT(Stored(), Not(HasSubstr(absl::StrCat(",", kJunkNumber, ","))));
}

TEST_F(BehaviorTest, FieldsOfANewerContractAreNeitherStoredNorSentBack) {
  for (const MethodDescriptor* const method : AllMethods()) {
    if (method->server_streaming()) continue;
    const std::unique_ptr<Message> request = NewRequest(*method);
    VisitMessages(*request, "", [](Message& message, const std::string&) {
      message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(1000, kJunk);
    });
    std::string response;
    const grpc::Status status = Call(*method, *request, &response);
    EXPECT_TRUE(status.ok()) << method->name() << ": " << status.error_message();
    EXPECT_THAT(response, Not(HasSubstr(kJunk))) << method->name();
  }
  EXPECT_THAT(Stored(), Not(HasSubstr(kJunk)));
}

}  // namespace
}  // namespace content::testing
