#!/usr/bin/env bash
# Spring Boot removes the colon from a model ID that is a key of a table.
#
# Packages: Maven org.springframework.boot:spring-boot 4.0.7 with org.yaml:snakeyaml 2.5.
#
# Behaviour: a map under @ConfigurationProperties keeps letters, digits, `-` and `.` of a key and
# drops everything else, unless the key is in square brackets. The key
# `anthropic.claude-sonnet-4-5-20250929-v1:0` becomes `…-v10`, quoted in YAML or not. In a properties
# file the unescaped key ends at its colon: the table has `…-v1` with the value `0=eu.anthropic.…`.
# Placeholders have the shell's form with another meaning: `${BEDROCK_MODEL_ID:-anthropic.…}` gives
# `-anthropic.…`. Nothing is logged, and the application starts.
#
# An engineer would expect: the key that YAML has, at the latest when it is quoted. IDs without a
# version suffix, such as anthropic.claude-sonnet-4-6, are kept, so a table works until an older or a
# dated model is added.
#
# Why it matters: a table from direct model IDs to inference profile IDs is the usual way to adopt
# profiles in an application. The look-up misses in silence, and the application calls the direct ID,
# which on-demand throughput does not support.
#
# Output seen on 2026-11-30 (M is anthropic.claude-sonnet-4-5-20250929-v1:0):
#   yaml, M: eu.M                  {anthropic.claude-sonnet-4-5-20250929-v10=eu.M}
#   yaml, "M": eu.M                {anthropic.claude-sonnet-4-5-20250929-v10=eu.M}
#   yaml, "[M]": eu.M              {M=eu.M}
#   properties, app.profiles.M=…   {anthropic.claude-sonnet-4-5-20250929-v1=0=eu.M}
#   ${BEDROCK_MODEL_ID:-M}         -M
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > pom.xml <<'EOF'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId><artifactId>probe</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot</artifactId><version>4.0.7</version></dependency>
    <dependency><groupId>org.yaml</groupId><artifactId>snakeyaml</artifactId><version>2.5</version></dependency>
  </dependencies>
</project>
EOF
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib > mvn.log 2>&1 || { cat mvn.log; exit 1; }

cat > Probe.java <<'EOF'
import java.util.Map;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.env.*;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.io.ByteArrayResource;

public class Probe {
    static final String M = "anthropic.claude-sonnet-4-5-20250929-v1:0";

    static void show(String name, PropertySourceLoader loader, String text) throws Exception {
        var environment = new StandardEnvironment();
        for (var source : loader.load("probe", new ByteArrayResource(text.getBytes()))) {
            environment.getPropertySources().addFirst(source);
        }
        Map<String, String> table =
            Binder.get(environment).bind("app.profiles", Bindable.mapOf(String.class, String.class)).get();
        System.out.println((name + " " + table).replace(M, "M"));
    }

    public static void main(String[] args) throws Exception {
        var yaml = new YamlPropertySourceLoader();
        var properties = new PropertiesPropertySourceLoader();
        String entry = "app:\n  profiles:\n    %s: eu." + M + "\n";
        show("plain", yaml, entry.formatted(M));
        show("quoted", yaml, entry.formatted('"' + M + '"'));
        show("brackets", yaml, entry.formatted("\"[" + M + "]\""));
        show("undated", yaml, "app:\n  profiles:\n    anthropic.claude-sonnet-4-6: eu.anthropic.claude-sonnet-4-6\n");
        show("properties", properties, "app.profiles." + M + "=eu." + M + "\n");
        String placeholder = new StandardEnvironment().resolvePlaceholders("${BEDROCK_MODEL_ID:-" + M + "}");
        System.out.println(("placeholder " + placeholder).replace(M, "M"));
    }
}
EOF
env -u BEDROCK_MODEL_ID java -cp 'lib/*' Probe.java > seen 2> java.log || { cat java.log; exit 1; }
diff - seen <<'EOF'
plain {anthropic.claude-sonnet-4-5-20250929-v10=eu.M}
quoted {anthropic.claude-sonnet-4-5-20250929-v10=eu.M}
brackets {M=eu.M}
undated {anthropic.claude-sonnet-4-6=eu.anthropic.claude-sonnet-4-6}
properties {anthropic.claude-sonnet-4-5-20250929-v1=0=eu.M}
placeholder -M
EOF
echo "ok: Spring Boot turns the key …-v1:0 of a table into …-v10, and keeps the - of a default"
