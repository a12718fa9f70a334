import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import smfs.shaded.software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider;
import smfs.shaded.software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import smfs.shaded.software.amazon.awssdk.regions.Region;
import smfs.shaded.software.amazon.awssdk.services.s3.S3Client;

/** Reads an object as Hadoop's S3A does: by the provider that our settings name. */
public class ReadByJava {
    private static Class<?> reader;

    /** Called by Spark. The SDK's file has parts of an older Spark, so it is kept apart. */
    public static synchronized String read(String places, String url, String key)
            throws ReflectiveOperationException, java.io.IOException {
        if (reader == null) {
            String[] named = places.split(":");
            URL[] urls = new URL[named.length];
            for (int number = 0; number < named.length; number++) {
                urls[number] = Path.of(named[number]).toUri().toURL();
            }
            ClassLoader above = ClassLoader.getPlatformClassLoader();
            reader = new URLClassLoader(urls, above).loadClass("ReadByJava$Reader");
        }
        return (String) reader.getMethod("read", String.class, String.class).invoke(null, url, key);
    }

    public static class Reader {
        public static String read(String url, String key) {
            try (ContainerCredentialsProvider provider = ContainerCredentialsProvider.create();
                    S3Client client =
                            S3Client.builder()
                                    .credentialsProvider(provider)
                                    .httpClient(UrlConnectionHttpClient.create())
                                    .endpointOverride(URI.create(url))
                                    .region(Region.US_EAST_1)
                                    .forcePathStyle(true)
                                    .build()) {
                return "read "
                        + client.getObjectAsBytes(asked -> asked.bucket("tables").key(key))
                                .asByteArray()
                                .length;
            } catch (RuntimeException error) {
                return error.getClass().getSimpleName() + ": " + error.getMessage();
            }
        }
    }
}
