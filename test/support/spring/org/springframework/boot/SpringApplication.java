package org.springframework.boot;

import java.io.File;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.springframework.beans.MutablePropertyValues;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.PropertiesPropertySource;
import org.springframework.http.converter.ByteArrayHttpMessageConverter;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.http.converter.json.MappingJackson2HttpMessageConverter;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.support.GenericWebApplicationContext;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.servlet.mvc.method.annotation.ExceptionHandlerExceptionResolver;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;
import org.sqlite.SQLiteDataSource;

/**
 * A stand-in, for tests where Maven Central cannot be reached: it does for one small program what Spring Boot's class of this
 * name does, with Spring MVC 4.3, Jetty 9 and SQLite's driver as Debian has them. The recipe's sources are compiled and run
 * unchanged. Beans are made by reflection: what this Spring makes them with cannot read classes of Java 17.
 */
public final class SpringApplication {
    private final GenericWebApplicationContext context = new GenericWebApplicationContext();

    public static void run(Class<?> application, String[] args) {
        try {
            new SpringApplication().start(application);
        } catch (Exception error) {
            error.printStackTrace();
            System.exit(1);
        }
    }

    private void start(Class<?> application) throws Exception {
        Properties properties = new Properties();
        try (InputStream file = application.getResourceAsStream("/application.properties")) {
            properties.load(file);
        }
        ConfigurableEnvironment environment = context.getEnvironment();
        environment.getPropertySources().addLast(new PropertiesPropertySource("application", properties));
        SQLiteDataSource database = new SQLiteDataSource();
        database.setUrl(environment.getRequiredProperty("spring.datasource.url"));
        add(database);
        Object configuration = application.getConstructor().newInstance();
        for (Method method : application.getMethods()) {
            if (method.isAnnotationPresent(Bean.class)) add(method.invoke(configuration, beansFor(method.getParameters())));
        }
        for (File file : new File(application.getResource("").toURI()).listFiles()) {
            if (!file.getName().matches("\\w+\\.class")) continue;
            Class<?> found = Class.forName(application.getPackageName() + "." + file.getName().replace(".class", ""));
            if (!found.isAnnotationPresent(RestController.class)) continue;
            var constructor = found.getConstructors()[0];
            add(constructor.newInstance(beansFor(constructor.getParameters())));
        }
        serve(environment);
    }

    private void add(Object bean) {
        context.getBeanFactory().registerSingleton(bean.getClass().getName(), bean);
        for (Method method : bean.getClass().getMethods()) {
            Scheduled scheduled = method.getAnnotation(Scheduled.class);
            if (scheduled != null) schedule(bean, method, scheduled.fixedDelay());
        }
    }

    private static void schedule(Object bean, Method method, long delayMs) {
        Runnable work = () -> {
            try {
                method.invoke(bean);
            } catch (ReflectiveOperationException error) {
                error.printStackTrace();
            }
        };
        Executors.newSingleThreadScheduledExecutor().scheduleWithFixedDelay(work, 0, delayMs, TimeUnit.MILLISECONDS);
    }

    private Object[] beansFor(Parameter[] parameters) {
        return Arrays.stream(parameters).map(this::beanFor).toArray();
    }

    private Object beanFor(Parameter parameter) {
        Value value = parameter.getAnnotation(Value.class);
        if (value != null) return context.getEnvironment().resolveRequiredPlaceholders(value.value());
        return context.getBeanFactory().getBean(parameter.getType());
    }

    private void serve(ConfigurableEnvironment environment) throws Exception {
        List<HttpMessageConverter<?>> converters =
            List.of(new ByteArrayHttpMessageConverter(), new MappingJackson2HttpMessageConverter());
        MutablePropertyValues withConverters = new MutablePropertyValues().add("messageConverters", converters);
        context.registerBeanDefinition("mapping", new RootBeanDefinition(RequestMappingHandlerMapping.class));
        context.registerBeanDefinition("adapter", new RootBeanDefinition(RequestMappingHandlerAdapter.class, null, withConverters));
        context.registerBeanDefinition("errors", new RootBeanDefinition(ExceptionHandlerExceptionResolver.class, null, withConverters));
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost(environment.getRequiredProperty("server.address"));
        connector.setPort(environment.getRequiredProperty("server.port", Integer.class));
        server.addConnector(connector);
        ServletContextHandler handler = new ServletContextHandler();
        ServletHolder dispatcher = new ServletHolder(new DispatcherServlet(context));
        dispatcher.setInitOrder(1);
        handler.addServlet(dispatcher, "/");
        server.setHandler(handler);
        server.start();
    }
}
