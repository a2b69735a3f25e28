package kobosmix;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import org.javarosa.core.reference.PrefixedRootFactory;
import org.javarosa.core.reference.Reference;

/** The files a form carries, as a phone keeps them: jr://file-csv/x.csv lies in one folder. */
final class Attachments extends PrefixedRootFactory {
    private final File folder;

    Attachments(File folder) {
        // In this order: a root is taken where it is contained, so "file/" alone would do for
        // "file-csv/" as well, and every list of choices would be empty without a word.
        super(new String[] {"file-csv/", "file/"});
        this.folder = folder;
    }

    @Override
    protected Reference factory(String name, String uri) {
        return new Attached(new File(folder, name), uri);
    }

    private static final class Attached implements Reference {
        private final File file;
        private final String uri;

        Attached(File file, String uri) {
            this.file = file;
            this.uri = uri;
        }

        @Override
        public boolean doesBinaryExist() {
            return file.exists();
        }

        @Override
        public InputStream getStream() throws IOException {
            return Files.newInputStream(file.toPath());
        }

        @Override
        public String getURI() {
            return uri;
        }

        @Override
        public String getLocalURI() {
            return file.getPath();
        }

        @Override
        public boolean isReadOnly() {
            return true;
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            throw new IOException(uri + " is only read");
        }

        @Override
        public void remove() throws IOException {
            throw new IOException(uri + " is only read");
        }

        @Override
        public Reference[] probeAlternativeReferences() {
            return new Reference[0];
        }
    }
}
