#!/usr/bin/env bash
# One Spring AI release calls two regions: its starter ignores AWS_REGION, its builder reads it.
#
# Packages: Maven org.springframework.ai:spring-ai-starter-model-bedrock-converse 1.1.2 on Spring
# Boot 3.5.7; public issue: spring-projects/spring-ai#3223.
#
# Behaviour: the auto-configured chat model signs for us-east-1 whatever AWS_REGION says, because the
# property spring.ai.bedrock.aws.region has that value if nobody sets it. A model that the
# application makes with BedrockProxyChatModel.builder() in the same process uses the AWS SDK's own
# chain, so AWS_REGION. Each is blind to the other's variable: SPRING_AI_BEDROCK_AWS_REGION moves only
# the starter. An EMPTY SPRING_AI_BEDROCK_AWS_REGION makes the starter read AWS_REGION too.
#
# An engineer would expect: both to follow AWS_REGION, as the AWS SDK below them does.
#
# Why it matters: an eu. profile ID is right for AWS_REGION=eu-west-1 and is sent to us-east-1, which
# does not have it. Setting AWS_REGION, even through EKS's pod identity, does not help.
#
# Output seen on 2026-11-30 (region in the signature that reached a stub on loopback):
#   AWS_REGION  SPRING_AI_BEDROCK_AWS_REGION  starter       builder
#   eu-west-1   (unset)                       us-east-1     eu-west-1
#   eu-west-1   eu-central-1                  eu-central-1  eu-west-1
#   eu-west-1   (empty)                       eu-west-1     eu-west-1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > pom.xml <<'EOF'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId><artifactId>probe</artifactId><version>1</version>
  <dependencyManagement><dependencies>
    <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-dependencies</artifactId><version>3.5.7</version><type>pom</type><scope>import</scope></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>org.springframework.ai</groupId><artifactId>spring-ai-starter-model-bedrock-converse</artifactId><version>1.1.2</version></dependency>
  </dependencies>
</project>
EOF
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib > mvn.log 2>&1 || { cat mvn.log; exit 1; }

cat > Probe.java <<'EOF'
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import org.springframework.ai.bedrock.converse.BedrockChatOptions;
import org.springframework.ai.bedrock.converse.BedrockProxyChatModel;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;

@EnableAutoConfiguration
public class Probe {
    static final String ID = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
    static final String ANSWER = """
        {"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn",
         "usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":1}}""";
    static volatile String region;

    public static void main(String[] args) throws Exception {
        var stub = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        stub.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            // Credential=KEY/DATE/REGION/SERVICE/aws4_request
            region = exchange.getRequestHeaders().getFirst("Authorization").split("Credential=")[1].split("/")[2];
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, ANSWER.length());
            exchange.getResponseBody().write(ANSWER.getBytes());
            exchange.close();
        });
        stub.start();
        System.setProperty("aws.endpointUrl", "http://127.0.0.1:" + stub.getAddress().getPort());
        try (var context = new SpringApplicationBuilder(Probe.class).web(WebApplicationType.NONE)
                .properties("spring.main.banner-mode=off", "spring.ai.bedrock.converse.chat.options.model=" + ID).run()) {
            context.getBean(ChatModel.class).call(new Prompt("hi"));
            String starter = region;
            BedrockProxyChatModel.builder().defaultOptions(BedrockChatOptions.builder().model(ID).build()).build()
                .call(new Prompt("hi"));
            System.err.println("PROBE starter=" + starter + " builder=" + region);
        }
        System.exit(0);
    }
}
EOF
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_EC2_METADATA_DISABLED=true
export AWS_REGION=eu-west-1 AWS_CONFIG_FILE="$work/none" AWS_SHARED_CREDENTIALS_FILE="$work/none"
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK SPRING_AI_BEDROCK_AWS_REGION
unset HTTP_PROXY HTTPS_PROXY http_proxy https_proxy
probe() {
	env "$@" java -cp 'lib/*' Probe.java > java.log 2>&1 || { cat java.log >&2; exit 1; }
	sed -n 's/^PROBE //p' java.log
}
{
	probe
	probe SPRING_AI_BEDROCK_AWS_REGION=eu-central-1
	probe SPRING_AI_BEDROCK_AWS_REGION=
} > seen
diff - seen <<'EOF'
starter=us-east-1 builder=eu-west-1
starter=eu-central-1 builder=eu-west-1
starter=eu-west-1 builder=eu-west-1
EOF
echo "ok: Spring AI's starter signs for us-east-1 beside AWS_REGION=eu-west-1, which its builder reads"
