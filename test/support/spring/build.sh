#!/bin/sh
# build.sh DIR: compiles the copied recipe in DIR against Debian's Spring, and writes DIR/start.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
cp=target/classes
for jar in spring3-core spring3-beans spring3-aop spring3-context spring3-expression spring3-web spring3-web.servlet \
  commons-logging servlet-api jetty9-server jetty9-servlet jetty9-security jetty9-http jetty9-io jetty9-util \
  jackson-core jackson-databind jackson-annotations xerial-sqlite-jdbc; do
  cp="$cp:/usr/share/java/$jar.jar"
done
mkdir -p target/classes
javac -parameters -encoding UTF-8 -d target/classes -cp "$cp" src/main/java/shop/*.java \
  "$here/org/springframework/boot/SpringApplication.java" \
  "$here/org/springframework/boot/autoconfigure/SpringBootApplication.java"
cp src/main/resources/* target/classes/
echo "exec java -cp '$cp' shop.ShopApplication" >start.sh
