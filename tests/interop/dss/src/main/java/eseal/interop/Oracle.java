package eseal.interop;

import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jose4j.json.JsonUtil;

/**
 * Says what DSS finds in sealed files, one JSON object a line, in the order of the files.
 *
 * <p>Usage: {@code java -jar dss-oracle.jar [--anchor CERT]... [--content FILE]... [--at INSTANT] FILE...}. Offline: no
 * revocation source is set, so only what a file brings along is used. The policy is the one DSS ships.
 */
public final class Oracle {

  private final CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
  private final List<DSSDocument> contents = new ArrayList<>();
  private final List<File> files = new ArrayList<>();
  private Date at;

  public static void main(String[] arguments) {
    Oracle oracle = new Oracle();
    oracle.read(arguments);
    for (File file : oracle.files) {
      System.out.println(JsonUtil.toJson(oracle.validate(file)));
    }
  }

  private void read(String[] arguments) {
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--anchor" -> anchor(arguments[++i]);
        case "--content" -> contents.add(new FileDocument(arguments[++i]));
        case "--at" -> at = Date.from(Instant.parse(arguments[++i]));
        default -> files.add(new File(arguments[i]));
      }
    }
  }

  private void anchor(String pem) {
    try (InputStream stream = Files.newInputStream(Path.of(pem))) {
      for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(stream)) {
        anchors.addCertificate(new CertificateToken((X509Certificate) certificate));
      }
    } catch (IOException | CertificateException unreadable) {
      throw new IllegalArgumentException("No certificates could be read from " + pem, unreadable);
    }
  }

  private Map<String, Object> validate(File file) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("file", file.getPath());
    try {
      CommonCertificateVerifier verifier = new CommonCertificateVerifier();
      verifier.addTrustedCertSources(anchors);
      verifier.setAIASource(null);
      SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
      validator.setCertificateVerifier(verifier);
      validator.setDetachedContents(contents);
      if (at != null) {
        validator.setValidationTime(at);
      }
      answer.put("signatures", signatures(validator.validateDocument()));
    } catch (RuntimeException refused) {
      answer.put("error", String.valueOf(refused.getMessage()));
    }
    return answer;
  }

  private static List<Map<String, Object>> signatures(Reports reports) {
    List<Map<String, Object>> found = new ArrayList<>();
    DiagnosticData data = reports.getDiagnosticData();
    SimpleReport simple = reports.getSimpleReport();
    for (SignatureWrapper signature : data.getSignatures()) {
      String id = signature.getId();
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("counter_signature", signature.isCounterSignature());
      one.put("intact", signature.isSignatureIntact());
      one.put("valid", signature.isSignatureValid());
      one.put("structure_valid", signature.isStructuralValidationValid());
      one.put("structure_messages", signature.getStructuralValidationMessages());
      one.put("format", String.valueOf(signature.getSignatureFormat()));
      one.put("signing_certificate_identified", signature.isSigningCertificateReferencePresent());
      one.put("indication", String.valueOf(simple.getIndication(id)));
      one.put("sub_indication", simple.getSubIndication(id) == null ? null : simple.getSubIndication(id).name());
      one.put("qualification", String.valueOf(simple.getSignatureQualification(id)));
      one.put("signed_by", simple.getSignedBy(id));
      one.put("claimed_time", text(signature.getClaimedSigningTime()));
      one.put("errors", texts(simple.getAdESValidationErrors(id)));
      one.put("warnings", texts(simple.getAdESValidationWarnings(id)));
      one.put("timestamps", timestamps(signature, simple));
      found.add(one);
    }
    return found;
  }

  private static List<Map<String, Object>> timestamps(SignatureWrapper signature, SimpleReport simple) {
    List<Map<String, Object>> found = new ArrayList<>();
    for (TimestampWrapper timestamp : signature.getTimestampList()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("type", timestamp.getType().name());
      one.put("imprint_found", timestamp.isMessageImprintDataFound());
      one.put("imprint_intact", timestamp.isMessageImprintDataIntact());
      one.put("signature_intact", timestamp.isSignatureIntact());
      one.put("time", text(timestamp.getProductionTime()));
      one.put("indication", String.valueOf(simple.getIndication(timestamp.getId())));
      found.add(one);
    }
    return found;
  }

  private static String text(Date date) {
    return date == null ? null : date.toInstant().toString();
  }

  private static List<String> texts(List<Message> messages) {
    return messages.stream().map(Message::getValue).toList();
  }
}
