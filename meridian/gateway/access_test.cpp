#include <meridian/gateway/access.hpp>

#include <gtest/gtest.h>

namespace meridian::gateway {
namespace {

TEST(Authority, HostsWithAndWithoutPorts) {
    const auto name = parse_authority("LocalHost:8545");
    ASSERT_TRUE(name);
    EXPECT_EQ(name->host, "localhost");
    EXPECT_EQ(name->port, 8545);
    EXPECT_FALSE(name->is_address);
    EXPECT_FALSE(parse_authority("a.example")->port);
    EXPECT_FALSE(parse_authority("a.example:")->port);
    EXPECT_TRUE(parse_authority("127.0.0.1")->is_address);
    const auto v6 = parse_authority("[0:0::1]:1");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->host, "::1");
    EXPECT_TRUE(v6->is_address);
}

TEST(Authority, MalformedOnes) {
    for (const char* text : {"", ":1", "a:b", "a:65536", "a:-1", "a:1:2", "::1", "[::1", "[::1]x", "[a]",
                             "a b", "u@a", "a/b", "[fe80::1%eth0]", "a\x01"})
        EXPECT_FALSE(parse_authority(text)) << text;
    EXPECT_FALSE(parse_authority(std::string(256, 'a')));
}

TEST(AllowedHosts, NamesAndEveryAddress) {
    const AllowedHosts hosts({"localhost", "Node.Example"});
    const auto allow = [&](const char* text) { return hosts.allow(*parse_authority(text)); };
    EXPECT_TRUE(allow("localhost:8545"));
    EXPECT_TRUE(allow("node.example"));
    EXPECT_TRUE(allow("10.1.2.3:80"));
    EXPECT_TRUE(allow("[::1]:80"));
    EXPECT_FALSE(allow("evil.example"));
    EXPECT_FALSE(allow("localhost.evil.example"));
    EXPECT_FALSE(allow("127.0.0.1.evil.example"));
    EXPECT_TRUE(AllowedHosts({"*"}).allow(*parse_authority("evil.example")));
    EXPECT_FALSE(AllowedHosts({}).allow(*parse_authority("localhost")));
}

TEST(AllowedHosts, WhatANameIs) {
    for (const char* name : {"*", "localhost", "a.example", "10.0.0.1"})
        EXPECT_TRUE(AllowedHosts::is_name(name)) << name;
    for (const char* name : {"", "a:1", "http://a", "a b", "*.example"})
        EXPECT_FALSE(AllowedHosts::is_name(name)) << name;
}

TEST(AllowedOrigins, PartsThatARuleLeavesOutMayBeAnything) {
    const AllowedOrigins origins({"localhost", "https://app.example", "http://b.example:8080"});
    for (const char* origin : {"http://localhost", "https://LOCALHOST:3000", "https://app.example",
                               "https://app.example:444", "http://b.example:8080"})
        EXPECT_TRUE(origins.allow(origin)) << origin;
    for (const char* origin :
         {"", "null", "localhost", "http://app.example", "http://b.example", "http://b.example:80",
          "https://app.example.evil.example", "https://evil.example/https://app.example", "http://localhost/",
          "http://localhost@evil.example", "://localhost"})
        EXPECT_FALSE(origins.allow(origin)) << origin;
    EXPECT_FALSE(origins.allow_all());
}

TEST(AllowedOrigins, TheStarAllowsEveryOrigin) {
    const AllowedOrigins origins({"*"});
    EXPECT_TRUE(origins.allow_all());
    EXPECT_TRUE(origins.allow("null"));
    EXPECT_TRUE(origins.allow("https://any.example"));
    EXPECT_FALSE(AllowedOrigins({}).allow("http://localhost"));
}

TEST(AllowedOrigins, WhatARuleIs) {
    for (const char* rule : {"*", "localhost", "[::1]:3000", "https://a.example", "chrome-extension://abc"})
        EXPECT_TRUE(AllowedOrigins::is_rule(rule)) << rule;
    for (const char* rule : {"", "null://", "http://", "http://a/b", "a b", "https://*.example"})
        EXPECT_FALSE(AllowedOrigins::is_rule(rule)) << rule;
}

TEST(ContentType, TheThreeOfJsonRpc) {
    for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/json-rpc",
                             " application/jsonrequest "})
        EXPECT_TRUE(is_json_rpc_type(type)) << type;
    for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                             "text/plain;application/json"})
        EXPECT_FALSE(is_json_rpc_type(type)) << type;
}

TEST(List, IsSplitAtCommas) {
    EXPECT_EQ(split_list(" a, b,,c ,"), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_TRUE(split_list(" ,").empty());
}

}  // namespace
}  // namespace meridian::gateway
