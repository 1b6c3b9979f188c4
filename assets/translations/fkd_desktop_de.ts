<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
  <context>
    <name>AboutDialog</name>
    <message>
      <source>&amp;Credits</source>
      <translation>&amp;Danksagung</translation>
    </message>
    <message>
      <source>&amp;Devices</source>
      <translation>&amp;Geräte</translation>
    </message>
    <message>
      <source>&amp;Licences</source>
      <translation>&amp;Lizenzen</translation>
    </message>
    <message>
      <source>&amp;Versions</source>
      <translation>&amp;Versionen</translation>
    </message>
    <message>
      <source>About FKD Desktop</source>
      <translation>Über FKD Desktop</translation>
    </message>
    <message>
      <source>Copy diagnostics</source>
      <translation>Diagnose kopieren</translation>
    </message>
    <message>
      <source>Faces are found with the Haar cascades that OpenCV brings (P. Viola, M. Jones, 2001).</source>
      <translation>Gesichter werden mit den Haar-Kaskaden gefunden, die OpenCV mitbringt (P. Viola, M. Jones, 2001).</translation>
    </message>
    <message>
      <source>Keypoints are steadied with the 1€ filter (G. Casiez, N. Roussel, D. Vogel, CHI 2012).</source>
      <translation>Die Schlüsselpunkte werden mit dem 1€-Filter beruhigt (G. Casiez, N. Roussel, D. Vogel, CHI 2012).</translation>
    </message>
    <message>
      <source>Qt and PySide6 are used under the LGPL. The packages' own licence texts lie beside them where they are installed.</source>
      <translation>Qt und PySide6 werden unter der LGPL verwendet. Die Lizenztexte der Pakete liegen bei diesen, wo sie installiert sind.</translation>
    </message>
    <message>
      <source>Real-time face keypoints. Everything happens on this computer; nothing is sent anywhere.</source>
      <translation>Schlüsselpunkte von Gesichtern in Echtzeit. Alles geschieht auf diesem Computer; es werden keine Daten gesendet.</translation>
    </message>
    <message>
      <source>The demo clip is made from NASA's portrait of Eileen Collins (public domain).</source>
      <translation>Der Demo-Clip entstand aus dem NASA-Porträt von Eileen Collins (gemeinfrei).</translation>
    </message>
    <message>
      <source>The shipped network was trained on the facial-keypoint data set of Udacity's computer vision course, drawn from YouTube Faces (L. Wolf, T. Hassner, I. Maoz, CVPR 2011).</source>
      <translation>Das mitgelieferte Netz wurde mit dem Datensatz „Facial Keypoints“ aus Udacitys Kurs über Computer Vision trainiert, der aus YouTube Faces stammt (L. Wolf, T. Hassner, I. Maoz, CVPR 2011).</translation>
    </message>
    <message>
      <source>unknown</source>
      <translation>unbekannt</translation>
    </message>
  </context>
  <context>
    <name>ActiveList</name>
    <message>
      <source>Nothing is on. Choose an overlay above, or press its number key.</source>
      <translation>Nichts ist eingeschaltet. Wählen Sie oben eine Einblendung oder drücken Sie ihre Zifferntaste.</translation>
    </message>
    <message>
      <source>On the picture, front to back</source>
      <translation>Im Bild, von vorn nach hinten</translation>
    </message>
    <message>
      <source>Take all off</source>
      <translation>Alle ausschalten</translation>
    </message>
  </context>
  <context>
    <name>ActiveRow</name>
    <message>
      <source>Bring {0} forward</source>
      <translation>{0} nach vorn holen</translation>
    </message>
    <message>
      <source>Drag to move it to the front or back; Up and Down do so too</source>
      <translation>Ziehen, um nach vorn oder hinten zu verschieben; auch mit den Pfeiltasten auf und ab</translation>
    </message>
    <message>
      <source>Faces that get {0}</source>
      <translation>Gesichter, die {0} bekommen</translation>
    </message>
    <message>
      <source>Move {0}</source>
      <translation>{0} verschieben</translation>
    </message>
    <message>
      <source>On every face, or on one only</source>
      <translation>Auf jedem Gesicht oder nur auf einem</translation>
    </message>
    <message>
      <source>Opacity of {0}</source>
      <translation>Deckkraft von {0}</translation>
    </message>
    <message>
      <source>Send {0} backward</source>
      <translation>{0} nach hinten setzen</translation>
    </message>
    <message>
      <source>Take {0} off</source>
      <translation>{0} ausschalten</translation>
    </message>
    <message>
      <source>What hides a face is always opaque</source>
      <translation>Was ein Gesicht verbirgt, ist immer deckend</translation>
    </message>
    <message>
      <source>{0} %</source>
      <translation>{0} %</translation>
    </message>
  </context>
  <context>
    <name>AdviceLabel</name>
    <message>
      <source>Error: {0}</source>
      <translation>Fehler: {0}</translation>
    </message>
    <message>
      <source>Note: {0}</source>
      <translation>Hinweis: {0}</translation>
    </message>
  </context>
  <context>
    <name>AugmentationPanel</name>
    <message>
      <source>&amp;Augmentation</source>
      <translation>&amp;Augmentierung</translation>
    </message>
    <message>
      <source>&amp;Network</source>
      <translation>&amp;Netz</translation>
    </message>
    <message>
      <source>A&amp;gain</source>
      <translation>Neu &amp;ziehen</translation>
    </message>
    <message>
      <source>Augmentation</source>
      <translation>Augmentierung</translation>
    </message>
    <message>
      <source>Draw other variants of this face</source>
      <translation>Andere Varianten dieses Gesichts ziehen</translation>
    </message>
    <message>
      <source>Full</source>
      <translation>Voll</translation>
    </message>
    <message>
      <source>Full, as in the last epochs</source>
      <translation>Voll, wie in den letzten Epochen</translation>
    </message>
    <message>
      <source>Network</source>
      <translation>Netz</translation>
    </message>
    <message>
      <source>None</source>
      <translation>Keine</translation>
    </message>
    <message>
      <source>Points</source>
      <translation>Punkte</translation>
    </message>
    <message>
      <source>Random crop</source>
      <translation>Zufälliger Zuschnitt</translation>
    </message>
  </context>
  <context>
    <name>Banner</name>
    <message>
      <source>Dismiss</source>
      <translation>Ausblenden</translation>
    </message>
    <message>
      <source>Dismiss the notice</source>
      <translation>Den Hinweis ausblenden</translation>
    </message>
  </context>
  <context>
    <name>BrokenRow</name>
    <message>
      <source>Open folder</source>
      <translation>Ordner öffnen</translation>
    </message>
    <message>
      <source>Open the folder of {0}</source>
      <translation>Ordner von {0} öffnen</translation>
    </message>
    <message>
      <source>Remove {0}</source>
      <translation>{0} entfernen</translation>
    </message>
    <message>
      <source>Remove…</source>
      <translation>Entfernen…</translation>
    </message>
    <message>
      <source>{0} cannot be used</source>
      <translation>{0} ist nicht verwendbar</translation>
    </message>
  </context>
  <context>
    <name>CameraMenu</name>
    <message>
      <source>&amp;Automatic</source>
      <translation>&amp;Automatisch</translation>
    </message>
    <message>
      <source>&amp;Camera</source>
      <translation>&amp;Kamera</translation>
    </message>
    <message>
      <source>&amp;Size and rate</source>
      <translation>&amp;Größe und Bildrate</translation>
    </message>
    <message>
      <source>Cameras</source>
      <translation>Kameras</translation>
    </message>
    <message>
      <source>Looking for cameras…</source>
      <translation>Kameras werden gesucht…</translation>
    </message>
    <message>
      <source>No camera found</source>
      <translation>Keine Kamera gefunden</translation>
    </message>
    <message>
      <source>Now: {0}</source>
      <translation>Jetzt: {0}</translation>
    </message>
    <message>
      <source>Plug one in: it appears here by itself</source>
      <translation>Schließen Sie eine an: Sie erscheint hier von selbst</translation>
    </message>
    <message>
      <source>Size and rate of the camera's pictures</source>
      <translation>Größe und Bildrate der Kamera</translation>
    </message>
    <message>
      <source>The camera takes the nearest that it has</source>
      <translation>Die Kamera nimmt das Nächstliegende, das sie kann</translation>
    </message>
    <message>
      <source>{0} (not connected)</source>
      <translation>{0} (nicht angeschlossen)</translation>
    </message>
  </context>
  <context>
    <name>CameraMode</name>
    <message>
      <source>The camera sends fewer pictures than agreed: many do so in a dark room. More light helps.</source>
      <translation>Die Kamera sendet weniger Bilder als vereinbart: Das tun viele in dunklen Räumen. Mehr Licht hilft.</translation>
    </message>
    <message>
      <source>{mode} ({format})</source>
      <translation>{mode} ({format})</translation>
    </message>
    <message>
      <source>{size}, {rate}/s</source>
      <translation>{size}, {rate}/s</translation>
    </message>
    <message>
      <source>{width} × {height}</source>
      <translation>{width} × {height}</translation>
    </message>
  </context>
  <context>
    <name>CaptureActions</name>
    <message numerus="yes">
      <source>%n second(s)</source>
      <translation>
        <numerusform>%n Sekunde</numerusform>
        <numerusform>%n Sekunden</numerusform>
      </translation>
    </message>
    <message>
      <source>&amp;Copy the picture</source>
      <translation>Bild &amp;kopieren</translation>
    </message>
    <message>
      <source>&amp;Record</source>
      <translation>Auf&amp;zeichnen</translation>
    </message>
    <message>
      <source>&amp;Virtual camera…</source>
      <translation>&amp;Virtuelle Kamera…</translation>
    </message>
    <message>
      <source>Co&amp;untdown</source>
      <translation>Selbst&amp;auslöser</translation>
    </message>
    <message>
      <source>Copy the picture with its overlays</source>
      <translation>Das Bild mit seinen Einblendungen kopieren</translation>
    </message>
    <message>
      <source>End the recording and keep it</source>
      <translation>Die Aufnahme beenden und behalten</translation>
    </message>
    <message>
      <source>None</source>
      <translation>Aus</translation>
    </message>
    <message>
      <source>Open the pictures' &amp;folder</source>
      <translation>B&amp;ilderordner öffnen</translation>
    </message>
    <message>
      <source>Open the recordin&amp;gs' folder</source>
      <translation>Vid&amp;eoordner öffnen</translation>
    </message>
    <message>
      <source>Picture</source>
      <translation>Bild</translation>
    </message>
    <message>
      <source>Record the picture with its overlays</source>
      <translation>Das Bild mit seinen Einblendungen als Video aufzeichnen</translation>
    </message>
    <message>
      <source>Save ten pictures over two seconds</source>
      <translation>Zehn Bilder in zwei Sekunden speichern</translation>
    </message>
    <message>
      <source>Save the picture as the camera gives it; faces that are hidden stay hidden</source>
      <translation>Das Bild so speichern, wie die Kamera es liefert; verborgene Gesichter bleiben verborgen</translation>
    </message>
    <message>
      <source>Save the picture with its overlays</source>
      <translation>Das Bild mit seinen Einblendungen speichern</translation>
    </message>
    <message>
      <source>Show the overlays in video calls</source>
      <translation>Die Einblendungen in Videoanrufen zeigen</translation>
    </message>
    <message>
      <source>Stop &amp;recording</source>
      <translation>Aufnahme been&amp;den</translation>
    </message>
    <message>
      <source>Take a &amp;burst</source>
      <translation>&amp;Serie aufnehmen</translation>
    </message>
    <message>
      <source>Take a &amp;picture</source>
      <translation>&amp;Bild aufnehmen</translation>
    </message>
    <message>
      <source>Take a picture &amp;without overlays</source>
      <translation>Bild &amp;ohne Einblendungen aufnehmen</translation>
    </message>
  </context>
  <context>
    <name>CaptureSurface</name>
    <message numerus="yes">
      <source>%n picture(s) saved</source>
      <translation>
        <numerusform>%n Bild gespeichert</numerusform>
        <numerusform>%n Bilder gespeichert</numerusform>
      </translation>
    </message>
    <message>
      <source>A recording that was cut off last time was kept</source>
      <translation>Eine Aufnahme, die beim letzten Mal abbrach, wurde gerettet</translation>
    </message>
    <message>
      <source>Picture copied</source>
      <translation>Bild kopiert</translation>
    </message>
    <message>
      <source>Picture saved</source>
      <translation>Bild gespeichert</translation>
    </message>
    <message>
      <source>Recording saved</source>
      <translation>Aufnahme gespeichert</translation>
    </message>
    <message>
      <source>Taking pictures: {0} of {1}</source>
      <translation>Serie wird aufgenommen: {0} von {1}</translation>
    </message>
  </context>
  <context>
    <name>CaptureThread</name>
    <message>
      <source>the live session failed ({0}); start it again, details are in the log</source>
      <translation>die Live-Sitzung ist fehlgeschlagen ({0}); starten Sie sie neu, Näheres steht im Protokoll</translation>
    </message>
  </context>
  <context>
    <name>Commands</name>
    <message>
      <source>&amp;About FKD Desktop</source>
      <translation>Ü&amp;ber FKD Desktop</translation>
    </message>
    <message>
      <source>&amp;Browse a data set…</source>
      <translation>&amp;Datensatz ansehen…</translation>
    </message>
    <message>
      <source>&amp;Camera</source>
      <translation>&amp;Kamera</translation>
    </message>
    <message>
      <source>&amp;Capture</source>
      <translation>A&amp;ufnahme</translation>
    </message>
    <message>
      <source>&amp;Copy diagnostics</source>
      <translation>D&amp;iagnose kopieren</translation>
    </message>
    <message>
      <source>&amp;Demo clip</source>
      <translation>&amp;Demo-Clip</translation>
    </message>
    <message>
      <source>&amp;Fullscreen</source>
      <translation>&amp;Vollbild</translation>
    </message>
    <message>
      <source>&amp;Help</source>
      <translation>&amp;Hilfe</translation>
    </message>
    <message>
      <source>&amp;High</source>
      <translation>&amp;Hoch</translation>
    </message>
    <message>
      <source>&amp;Inspect the network…</source>
      <translation>&amp;Untersuchen…</translation>
    </message>
    <message>
      <source>&amp;Keyboard shortcuts</source>
      <translation>&amp;Tastenkürzel</translation>
    </message>
    <message>
      <source>&amp;Low</source>
      <translation>&amp;Niedrig</translation>
    </message>
    <message>
      <source>&amp;Manual</source>
      <translation>&amp;Handbuch (englisch)</translation>
    </message>
    <message>
      <source>&amp;Mirror</source>
      <translation>&amp;Spiegeln</translation>
    </message>
    <message>
      <source>&amp;Network</source>
      <translation>&amp;Netz</translation>
    </message>
    <message>
      <source>&amp;Nothing</source>
      <translation>&amp;Keine Einblendung</translation>
    </message>
    <message>
      <source>&amp;Off</source>
      <translation>&amp;Aus</translation>
    </message>
    <message>
      <source>&amp;Open video or image…</source>
      <translation>&amp;Video oder Bild öffnen…</translation>
    </message>
    <message>
      <source>&amp;Pause</source>
      <translation>&amp;Pause</translation>
    </message>
    <message>
      <source>&amp;Play</source>
      <translation>Ab&amp;spielen</translation>
    </message>
    <message>
      <source>&amp;Preferences…</source>
      <translation>&amp;Einstellungen…</translation>
    </message>
    <message>
      <source>&amp;Quit</source>
      <translation>&amp;Beenden</translation>
    </message>
    <message>
      <source>&amp;Retry</source>
      <translation>E&amp;rneut versuchen</translation>
    </message>
    <message>
      <source>&amp;Session</source>
      <translation>&amp;Sitzung</translation>
    </message>
    <message>
      <source>&amp;Smoothing</source>
      <translation>G&amp;lättung</translation>
    </message>
    <message>
      <source>&amp;Start</source>
      <translation>&amp;Starten</translation>
    </message>
    <message>
      <source>&amp;Stop</source>
      <translation>&amp;Stoppen</translation>
    </message>
    <message>
      <source>&amp;Train a network…</source>
      <translation>&amp;Training…</translation>
    </message>
    <message>
      <source>&amp;View</source>
      <translation>&amp;Ansicht</translation>
    </message>
    <message>
      <source>&amp;Welcome</source>
      <translation>&amp;Willkommen</translation>
    </message>
    <message>
      <source>&amp;Zoom</source>
      <translation>&amp;Zoom</translation>
    </message>
    <message>
      <source>As still as can be; quick motion lags a little</source>
      <translation>So ruhig wie möglich; schnelle Bewegungen hinken etwas nach</translation>
    </message>
    <message>
      <source>Camera, overlays and training in three steps</source>
      <translation>Kamera, Einblendungen und Training in drei Schritten</translation>
    </message>
    <message>
      <source>Cancel</source>
      <translation>Abbrechen</translation>
    </message>
    <message>
      <source>Choose how things are</source>
      <translation>Festlegen, wie sich das Programm verhält</translation>
    </message>
    <message>
      <source>Choose, order and make overlays</source>
      <translation>Einblendungen wählen, anordnen und erstellen</translation>
    </message>
    <message>
      <source>Do not open it</source>
      <translation>Nicht öffnen</translation>
    </message>
    <message>
      <source>Every measurement as it is</source>
      <translation>Jede Messung, wie sie ist</translation>
    </message>
    <message>
      <source>Export &amp;landmarks…</source>
      <translation>Schlüsselpunkte e&amp;xportieren…</translation>
    </message>
    <message>
      <source>Find faces with the network that came with FKD Desktop</source>
      <translation>Gesichter mit dem Netz finden, das FKD Desktop beiliegt</translation>
    </message>
    <message>
      <source>Hold the picture</source>
      <translation>Das Bild anhalten</translation>
    </message>
    <message>
      <source>Leave fullscreen</source>
      <translation>Vollbild verlassen</translation>
    </message>
    <message>
      <source>Look at what networks learn from</source>
      <translation>Ansehen, woraus Netze lernen</translation>
    </message>
    <message>
      <source>Nothing but the picture (F11, Esc leaves)</source>
      <translation>Nur das Bild (F11, zurück mit Esc)</translation>
    </message>
    <message>
      <source>Open a &amp;folder of pictures…</source>
      <translation>&amp;Ordner mit Bildern öffnen…</translation>
    </message>
    <message>
      <source>Open a network &amp;address…</source>
      <translation>Netzwerk&amp;adresse öffnen…</translation>
    </message>
    <message>
      <source>Open the &amp;log</source>
      <translation>&amp;Protokoll öffnen</translation>
    </message>
    <message>
      <source>Open the same source again</source>
      <translation>Dieselbe Quelle noch einmal öffnen</translation>
    </message>
    <message>
      <source>Overlay &amp;gallery</source>
      <translation>Einblendungs&amp;galerie</translation>
    </message>
    <message>
      <source>Overlays</source>
      <translation>Einblendungen</translation>
    </message>
    <message>
      <source>Play on</source>
      <translation>Weiter abspielen</translation>
    </message>
    <message>
      <source>Play&amp;back</source>
      <translation>&amp;Wiedergabe</translation>
    </message>
    <message>
      <source>Put versions, devices and the last log lines on the clipboard</source>
      <translation>Versionen, Geräte und die letzten Protokollzeilen in die Zwischenablage kopieren</translation>
    </message>
    <message>
      <source>Read how everything works</source>
      <translation>Nachlesen, wie alles geht</translation>
    </message>
    <message>
      <source>S&amp;top and let go</source>
      <translation>Stoppen und &amp;freigeben</translation>
    </message>
    <message>
      <source>See what the network sees</source>
      <translation>Sehen, was das Netz sieht</translation>
    </message>
    <message>
      <source>Show a network camera or a stream</source>
      <translation>Eine Netzwerkkamera oder einen Stream zeigen</translation>
    </message>
    <message>
      <source>Show a video or a picture from a file</source>
      <translation>Ein Video oder Bild aus einer Datei zeigen</translation>
    </message>
    <message>
      <source>Show the built-in clip</source>
      <translation>Den mitgelieferten Clip zeigen</translation>
    </message>
    <message>
      <source>Show the camera that was used last</source>
      <translation>Die zuletzt benutzte Kamera zeigen</translation>
    </message>
    <message>
      <source>Show the file with what happened lately</source>
      <translation>Die Datei mit den letzten Ereignissen zeigen</translation>
    </message>
    <message>
      <source>Show the picture as in a mirror</source>
      <translation>Das Bild wie in einem Spiegel zeigen</translation>
    </message>
    <message>
      <source>Show the pictures of a folder</source>
      <translation>Die Bilder eines Ordners zeigen</translation>
    </message>
    <message>
      <source>Show the plain picture</source>
      <translation>Das Bild ohne Einblendungen zeigen</translation>
    </message>
    <message>
      <source>Source</source>
      <translation>Quelle</translation>
    </message>
    <message>
      <source>Start the live session</source>
      <translation>Die Live-Sitzung starten</translation>
    </message>
    <message>
      <source>Still on a still face, no lag on a moving one</source>
      <translation>Ruhig bei ruhigem Gesicht, ohne Verzug bei bewegtem</translation>
    </message>
    <message>
      <source>Stop the live session</source>
      <translation>Die Live-Sitzung stoppen</translation>
    </message>
    <message>
      <source>Stop, and let go of the camera or file</source>
      <translation>Stoppen und die Kamera oder Datei freigeben</translation>
    </message>
    <message>
      <source>Toolbar</source>
      <translation>Werkzeugleiste</translation>
    </message>
    <message>
      <source>Train a network on your own pictures</source>
      <translation>Ein Netz mit eigenen Bildern trainieren</translation>
    </message>
    <message>
      <source>Try the demo clip</source>
      <translation>Demo-Clip ansehen</translation>
    </message>
    <message>
      <source>Use the shipped network</source>
      <translation>Mitgeliefertes Netz verwenden</translation>
    </message>
    <message>
      <source>Where the picture comes from</source>
      <translation>Woher das Bild kommt</translation>
    </message>
    <message>
      <source>Write the keypoints to tables, live or from a file</source>
      <translation>Die Schlüsselpunkte in Tabellen schreiben, live oder aus einer Datei</translation>
    </message>
  </context>
  <context>
    <name>ComparisonSheets</name>
    <message>
      <source>Faces with old and new keypoints</source>
      <translation>Gesichter mit alten und neuen Schlüsselpunkten</translation>
    </message>
    <message>
      <source>Most improved</source>
      <translation>Am meisten verbessert</translation>
    </message>
    <message>
      <source>Most worsened</source>
      <translation>Am meisten verschlechtert</translation>
    </message>
    <message>
      <source>Typical</source>
      <translation>Typisch</translation>
    </message>
    <message>
      <source>predicted</source>
      <translation>vorhergesagt</translation>
    </message>
    <message>
      <source>true</source>
      <translation>wahr</translation>
    </message>
  </context>
  <context>
    <name>ComparisonTable</name>
    <message>
      <source>AUC to 8 %</source>
      <translation>AUC bis 8 %</translation>
    </message>
    <message>
      <source>Change</source>
      <translation>Änderung</translation>
    </message>
    <message>
      <source>Faces over 10 %</source>
      <translation>Gesichter über 10 %</translation>
    </message>
    <message>
      <source>Figures of the old and the new weights</source>
      <translation>Kennzahlen der alten und der neuen Gewichte</translation>
    </message>
    <message>
      <source>Mean NME</source>
      <translation>Mittlerer NME</translation>
    </message>
    <message>
      <source>Median NME</source>
      <translation>Median des NME</translation>
    </message>
    <message>
      <source>NME of the jaw</source>
      <translation>NME des Kiefers</translation>
    </message>
    <message>
      <source>New</source>
      <translation>Neu</translation>
    </message>
    <message>
      <source>Old</source>
      <translation>Alt</translation>
    </message>
    <message>
      <source>{0} network
{1}</source>
      <translation>Netz {0}
{1}</translation>
    </message>
    <message>
      <source>… the brows</source>
      <translation>… der Brauen</translation>
    </message>
    <message>
      <source>… the eyes</source>
      <translation>… der Augen</translation>
    </message>
    <message>
      <source>… the mouth</source>
      <translation>… des Mundes</translation>
    </message>
    <message>
      <source>… the nose</source>
      <translation>… der Nase</translation>
    </message>
  </context>
  <context>
    <name>ComparisonView</name>
    <message>
      <source>Cancel</source>
      <translation>Abbrechen</translation>
    </message>
    <message>
      <source>Choose one of the past runs: its weights and those in use are judged on the same faces, of people that the run kept aside.</source>
      <translation>Wählen Sie einen früheren Lauf: Seine Gewichte und die verwendeten werden an denselben Gesichtern beurteilt, von Personen, die der Lauf zurückgehalten hat.</translation>
    </message>
    <message>
      <source>Comparing {0}…</source>
      <translation>{0} wird verglichen…</translation>
    </message>
    <message>
      <source>Keep the old ones</source>
      <translation>Alte behalten</translation>
    </message>
    <message>
      <source>Nothing was compared yet</source>
      <translation>Noch nichts verglichen</translation>
    </message>
    <message>
      <source>Of {0} faces {1} are better, {2} about the same and {3} worse.</source>
      <translation>Von {0} Gesichtern sind {1} besser, {2} etwa gleich und {3} schlechter.</translation>
    </message>
    <message>
      <source>Reading the data set…</source>
      <translation>Der Datensatz wird gelesen…</translation>
    </message>
    <message>
      <source>Save as…</source>
      <translation>Speichern unter…</translation>
    </message>
    <message>
      <source>Saved as {0}.</source>
      <translation>Gespeichert als {0}.</translation>
    </message>
    <message>
      <source>The live session takes over the new weights.</source>
      <translation>Die Live-Sitzung übernimmt die neuen Gewichte.</translation>
    </message>
    <message>
      <source>The live session uses the new weights now.</source>
      <translation>Die Live-Sitzung verwendet jetzt die neuen Gewichte.</translation>
    </message>
    <message>
      <source>The old weights stay in use. The new ones are kept with their run.</source>
      <translation>Die alten Gewichte bleiben in Gebrauch. Die neuen bleiben bei ihrem Lauf.</translation>
    </message>
    <message>
      <source>They cannot be compared</source>
      <translation>Sie lassen sich nicht vergleichen</translation>
    </message>
    <message>
      <source>Try again</source>
      <translation>Erneut versuchen</translation>
    </message>
    <message>
      <source>Use these weights now</source>
      <translation>Diese Gewichte jetzt verwenden</translation>
    </message>
    <message>
      <source>better</source>
      <translation>besser</translation>
    </message>
    <message>
      <source>no difference</source>
      <translation>kein Unterschied</translation>
    </message>
    <message>
      <source>worse</source>
      <translation>schlechter</translation>
    </message>
    <message>
      <source>{0} of {1} faces</source>
      <translation>{0} von {1} Gesichtern</translation>
    </message>
  </context>
  <context>
    <name>ConfigForm</name>
    <message>
      <source>About {0} at {1} images/s, as last time.</source>
      <translation>Etwa {0} bei {1} Bildern/s, wie beim letzten Mal.</translation>
    </message>
    <message>
      <source>Advanced</source>
      <translation>Erweitert</translation>
    </message>
    <message>
      <source>Advanced ({0} changed)</source>
      <translation>Erweitert ({0} geändert)</translation>
    </message>
    <message>
      <source>Advanced ({0} changed, {1} to correct)</source>
      <translation>Erweitert ({0} geändert, {1} zu berichtigen)</translation>
    </message>
    <message>
      <source>Advanced ({0} to correct)</source>
      <translation>Erweitert ({0} zu berichtigen)</translation>
    </message>
    <message>
      <source>All settings of this form</source>
      <translation>Alle Einstellungen dieses Formulars</translation>
    </message>
    <message>
      <source>Automatic ({0})</source>
      <translation>Automatisch ({0})</translation>
    </message>
    <message>
      <source>Back to the defaults</source>
      <translation>Standardwerte wiederherstellen</translation>
    </message>
    <message>
      <source>It is not available here.</source>
      <translation>Es ist hier nicht verfügbar.</translation>
    </message>
    <message>
      <source>PyTorch found no GPU here that it can use with CUDA.</source>
      <translation>PyTorch hat hier keine GPU gefunden, die es mit CUDA nutzen kann.</translation>
    </message>
    <message>
      <source>This is for Macs with a processor of Apple's.</source>
      <translation>Dies ist für Macs mit einem Prozessor von Apple.</translation>
    </message>
  </context>
  <context>
    <name>Content</name>
    <message>
      <source>&amp;Face</source>
      <translation>&amp;Gesicht</translation>
    </message>
    <message>
      <source>As &amp;training sees it</source>
      <translation>Wie beim &amp;Training</translation>
    </message>
    <message>
      <source>No face matches this choice.</source>
      <translation>Kein Gesicht passt zu dieser Auswahl.</translation>
    </message>
    <message>
      <source>Show all faces</source>
      <translation>Alle Gesichter zeigen</translation>
    </message>
  </context>
  <context>
    <name>Controller</name>
    <message>
      <source>{0} failed ({1}). The network runs on the CPU from now on.</source>
      <translation>{0} ist ausgefallen ({1}). Das Netz läuft ab jetzt auf der CPU.</translation>
    </message>
    <message>
      <source>{0} sends a black picture; open the cover of its lens, make more light, or choose another camera</source>
      <translation>{0} sendet ein schwarzes Bild; öffnen Sie die Abdeckung des Objektivs, machen Sie mehr Licht oder wählen Sie eine andere Kamera</translation>
    </message>
    <message>
      <source>{0} sends no pictures at the moment; waiting for it</source>
      <translation>{0} sendet gerade keine Bilder; FKD Desktop wartet darauf</translation>
    </message>
    <message>
      <source>{0}. The network runs on the CPU instead.</source>
      <translation>{0}. Das Netz läuft stattdessen auf der CPU.</translation>
    </message>
  </context>
  <context>
    <name>CountdownOverlay</name>
    <message numerus="yes">
      <source>%n second(s)</source>
      <translation>
        <numerusform>%n Sekunde</numerusform>
        <numerusform>%n Sekunden</numerusform>
      </translation>
    </message>
    <message>
      <source>Esc cancels</source>
      <translation>Esc bricht ab</translation>
    </message>
  </context>
  <context>
    <name>CrashDesk</name>
    <message>
      <source>FKD Desktop ended unexpectedly last time</source>
      <translation>FKD Desktop wurde beim letzten Mal unerwartet beendet</translation>
    </message>
    <message>
      <source>Show log</source>
      <translation>Protokoll zeigen</translation>
    </message>
  </context>
  <context>
    <name>CrashDialog</name>
    <message>
      <source>Copy</source>
      <translation>Kopieren</translation>
    </message>
    <message>
      <source>Copy this with versions, devices and the log's last lines</source>
      <translation>Dies mit Versionen, Geräten und den letzten Zeilen des Protokolls kopieren</translation>
    </message>
    <message>
      <source>FKD Desktop ended unexpectedly last time, and this is where. If it happens again, copy this into a problem report; nothing is sent by itself.</source>
      <translation>FKD Desktop wurde beim letzten Mal unerwartet beendet, und zwar hier. Wenn es wieder geschieht, kopieren Sie dies in einen Fehlerbericht; von selbst wird nichts gesendet.</translation>
    </message>
    <message numerus="yes">
      <source>It happened %n time(s).</source>
      <translation>
        <numerusform>Es geschah %n-mal.</numerusform>
        <numerusform>Es geschah %n-mal.</numerusform>
      </translation>
    </message>
    <message>
      <source>Open log</source>
      <translation>Protokoll öffnen</translation>
    </message>
    <message>
      <source>Something in FKD Desktop went wrong that should not. The session goes on where it can; if the picture stands still, open its source again.</source>
      <translation>In FKD Desktop ist etwas schiefgegangen, das nicht schiefgehen sollte. Die Sitzung läuft weiter, wo sie kann; wenn das Bild stehen bleibt, öffnen Sie seine Quelle neu.</translation>
    </message>
    <message>
      <source>Where it happened</source>
      <translation>Wo es geschah</translation>
    </message>
  </context>
  <context>
    <name>DataDetails</name>
    <message>
      <source>1 face</source>
      <translation>1 Gesicht</translation>
    </message>
    <message>
      <source>1 person</source>
      <translation>1 Person</translation>
    </message>
    <message>
      <source>1 problem</source>
      <translation>1 Problem</translation>
    </message>
    <message>
      <source>1 thing good to know</source>
      <translation>1 Hinweis</translation>
    </message>
    <message>
      <source>Browse the data set…</source>
      <translation>Datensatz ansehen…</translation>
    </message>
    <message>
      <source>Inter-ocular distance</source>
      <translation>Augenabstand</translation>
    </message>
    <message>
      <source>Leave them out…</source>
      <translation>Weglassen…</translation>
    </message>
    <message>
      <source>Pictures</source>
      <translation>Bilder</translation>
    </message>
    <message>
      <source>Test</source>
      <translation>Test</translation>
    </message>
    <message>
      <source>Training</source>
      <translation>Training</translation>
    </message>
    <message>
      <source>Training can start on these faces.</source>
      <translation>Mit diesen Gesichtern kann das Training beginnen.</translation>
    </message>
    <message>
      <source>{0} faces</source>
      <translation>{0} Gesichter</translation>
    </message>
    <message>
      <source>{0} of its faces, as they are labelled</source>
      <translation>{0} Gesichter daraus mit ihren Annotationen</translation>
    </message>
    <message>
      <source>{0} people</source>
      <translation>{0} Personen</translation>
    </message>
    <message>
      <source>{0} problems</source>
      <translation>{0} Probleme</translation>
    </message>
    <message>
      <source>{0} px</source>
      <translation>{0} px</translation>
    </message>
    <message>
      <source>{0} px wide, {1} px high</source>
      <translation>{0} px breit, {1} px hoch</translation>
    </message>
    <message>
      <source>{0} things good to know</source>
      <translation>{0} Hinweise</translation>
    </message>
    <message>
      <source>{0} to {1}</source>
      <translation>{0} bis {1}</translation>
    </message>
    <message>
      <source>{faces} of {people}</source>
      <translation>{faces} von {people}</translation>
    </message>
  </context>
  <context>
    <name>DataNotice</name>
    <message>
      <source>progress</source>
      <translation>Fortschritt</translation>
    </message>
  </context>
  <context>
    <name>DataPanel</name>
    <message>
      <source>A CSV table of keypoints beside its images</source>
      <translation>Eine CSV-Tabelle mit Schlüsselpunkten neben ihren Bildern</translation>
    </message>
    <message>
      <source>A table of the {0} good faces of the training split is written into {1} and chosen instead. Your own files stay as they are.</source>
      <translation>Eine Tabelle der {0} brauchbaren Gesichter des Trainingsteils wird in {1} geschrieben und stattdessen gewählt. Ihre eigenen Dateien bleiben, wie sie sind.</translation>
    </message>
    <message>
      <source>All files</source>
      <translation>Alle Dateien</translation>
    </message>
    <message>
      <source>Asking what there is to fetch…</source>
      <translation>Es wird nachgefragt, was es herunterzuladen gibt…</translation>
    </message>
    <message>
      <source>CSV tables</source>
      <translation>CSV-Tabellen</translation>
    </message>
    <message>
      <source>Cancel</source>
      <translation>Abbrechen</translation>
    </message>
    <message>
      <source>Check again</source>
      <translation>Erneut prüfen</translation>
    </message>
    <message>
      <source>Checking the data set</source>
      <translation>Datensatz wird geprüft</translation>
    </message>
    <message>
      <source>Choose a folder of pictures with their keypoints, or a CSV table, or drop either here. If you have none, the published data set can be downloaded.</source>
      <translation>Wählen Sie einen Ordner mit Bildern und ihren Schlüsselpunkten oder eine CSV-Tabelle, oder ziehen Sie eins von beiden hierher. Wenn Sie keinen haben, lässt sich der veröffentlichte Datensatz herunterladen.</translation>
    </message>
    <message>
      <source>Choose a table of keypoints</source>
      <translation>Tabelle mit Schlüsselpunkten wählen</translation>
    </message>
    <message>
      <source>Choose folder…</source>
      <translation>Ordner wählen…</translation>
    </message>
    <message>
      <source>Choose table…</source>
      <translation>Tabelle wählen…</translation>
    </message>
    <message>
      <source>Choose the folder of a data set</source>
      <translation>Ordner eines Datensatzes wählen</translation>
    </message>
    <message>
      <source>Download</source>
      <translation>Herunterladen</translation>
    </message>
    <message>
      <source>Download the data set…</source>
      <translation>Datensatz herunterladen…</translation>
    </message>
    <message>
      <source>Download the published data set?</source>
      <translation>Den veröffentlichten Datensatz herunterladen?</translation>
    </message>
    <message>
      <source>Downloading the data set</source>
      <translation>Datensatz wird heruntergeladen</translation>
    </message>
    <message>
      <source>It is Udacity's facial keypoints data set, made from the YouTube Faces Database: {0}.

From: {1}
Into: {2}

What is there already is kept. The pictures are not part of FKD Desktop and stay under their own terms.</source>
      <translation>Es ist Udacitys Datensatz „Facial Keypoints“, erstellt aus der YouTube-Faces-Datenbank: {0}.

Von: {1}
Nach: {2}

Was schon da ist, bleibt erhalten. Die Bilder gehören nicht zu FKD Desktop und stehen unter ihren eigenen Bedingungen.</translation>
    </message>
    <message>
      <source>Look through the same data set once more</source>
      <translation>Denselben Datensatz noch einmal durchsehen</translation>
    </message>
    <message>
      <source>Not now</source>
      <translation>Nicht jetzt</translation>
    </message>
    <message>
      <source>Reading the labels…</source>
      <translation>Annotationen werden gelesen…</translation>
    </message>
    <message>
      <source>Train without the labels that cannot be used?</source>
      <translation>Ohne die unbrauchbaren Annotationen trainieren?</translation>
    </message>
    <message>
      <source>Training cannot start on this</source>
      <translation>Damit kann das Training nicht beginnen</translation>
    </message>
    <message>
      <source>Which faces to train on?</source>
      <translation>Mit welchen Gesichtern trainieren?</translation>
    </message>
    <message>
      <source>Write the table</source>
      <translation>Tabelle schreiben</translation>
    </message>
    <message>
      <source>{0} of {1} MB are there ({2} MB received)</source>
      <translation>{0} von {1} MB sind da ({2} MB empfangen)</translation>
    </message>
    <message>
      <source>{0} of {1} pictures</source>
      <translation>{0} von {1} Bildern</translation>
    </message>
  </context>
  <context>
    <name>DatasetBrowser</name>
    <message>
      <source>&amp;Judge with the network</source>
      <translation>Mit dem Netz &amp;beurteilen</translation>
    </message>
    <message>
      <source>&amp;Open another data set…</source>
      <translation>Datensatz ö&amp;ffnen…</translation>
    </message>
    <message>
      <source>&amp;Read again</source>
      <translation>Neu &amp;einlesen</translation>
    </message>
    <message>
      <source>Copied</source>
      <translation>Kopiert</translation>
    </message>
    <message>
      <source>Copy</source>
      <translation>Kopieren</translation>
    </message>
    <message>
      <source>Data set</source>
      <translation>Datensatz</translation>
    </message>
    <message>
      <source>Data set browser</source>
      <translation>Datensatz-Browser</translation>
    </message>
    <message>
      <source>Judging {0} of {1}</source>
      <translation>{0} von {1} werden beurteilt</translation>
    </message>
    <message>
      <source>Loading the network…</source>
      <translation>Das Netz wird geladen…</translation>
    </message>
    <message>
      <source>Looking for problems…</source>
      <translation>Probleme werden gesucht…</translation>
    </message>
    <message>
      <source>No data set yet</source>
      <translation>Noch kein Datensatz</translation>
    </message>
    <message>
      <source>Open a data set</source>
      <translation>Datensatz öffnen</translation>
    </message>
    <message>
      <source>Open a folder with pictures of faces and their keypoints, or drop it here.</source>
      <translation>Öffnen Sie einen Ordner mit Bildern von Gesichtern und ihren Schlüsselpunkten, oder ziehen Sie ihn hierher.</translation>
    </message>
    <message>
      <source>Open another data set…</source>
      <translation>Datensatz öffnen…</translation>
    </message>
    <message>
      <source>PNG images (*.png)</source>
      <translation>PNG-Bilder (*.png)</translation>
    </message>
    <message>
      <source>Reading the labels…</source>
      <translation>Annotationen werden gelesen…</translation>
    </message>
    <message>
      <source>Reading {0}…</source>
      <translation>{0} wird gelesen…</translation>
    </message>
    <message>
      <source>Run the network over all faces and show how far off it is</source>
      <translation>Das Netz auf alle Gesichter anwenden und zeigen, wie weit es danebenliegt</translation>
    </message>
    <message>
      <source>Save this view</source>
      <translation>Diese Ansicht speichern</translation>
    </message>
    <message>
      <source>Saved as {0}</source>
      <translation>Gespeichert als {0}</translation>
    </message>
    <message>
      <source>Save…</source>
      <translation>Speichern…</translation>
    </message>
    <message>
      <source>The first faces come in a moment.</source>
      <translation>Die ersten Gesichter kommen gleich.</translation>
    </message>
    <message>
      <source>There are no faces in this data set</source>
      <translation>Dieser Datensatz enthält keine Gesichter</translation>
    </message>
    <message>
      <source>This data set cannot be read</source>
      <translation>Dieser Datensatz lässt sich nicht lesen</translation>
    </message>
  </context>
  <context>
    <name>DeviceList</name>
    <message>
      <source>Apple GPU</source>
      <translation>Apple-GPU</translation>
    </message>
    <message>
      <source>Automatic: the quickest kind that works</source>
      <translation>Automatisch: die schnellste Art, die funktioniert</translation>
    </message>
    <message>
      <source>Measured just now, with one face in a picture of 640 × 480.</source>
      <translation>Gerade gemessen, mit einem Gesicht in einem Bild von 640 × 480.</translation>
    </message>
    <message>
      <source>Measuring what works here…</source>
      <translation>Es wird gemessen, was hier funktioniert…</translation>
    </message>
    <message>
      <source>NVIDIA GPU (CUDA)</source>
      <translation>NVIDIA-GPU (CUDA)</translation>
    </message>
    <message>
      <source>Processor (CPU)</source>
      <translation>Prozessor (CPU)</translation>
    </message>
    <message>
      <source>The device that was chosen is not there now; another one is used.</source>
      <translation>Das gewählte Gerät ist gerade nicht vorhanden; ein anderes wird verwendet.</translation>
    </message>
    <message>
      <source>measuring devices</source>
      <translation>Geräte messen</translation>
    </message>
    <message>
      <source>{0}: {1} ms a face, by {2}</source>
      <translation>{0}: {1} ms je Gesicht, mit {2}</translation>
    </message>
  </context>
  <context>
    <name>Diagnostics</name>
    <message>
      <source>Camera mode</source>
      <translation>Kameramodus</translation>
    </message>
    <message>
      <source>Dropped</source>
      <translation>Verworfen</translation>
    </message>
    <message>
      <source>Faces</source>
      <translation>Gesichter</translation>
    </message>
    <message>
      <source>Frame rate</source>
      <translation>Bildrate</translation>
    </message>
    <message>
      <source>Language</source>
      <translation>Sprache</translation>
    </message>
    <message>
      <source>Latency</source>
      <translation>Latenz</translation>
    </message>
    <message>
      <source>Network</source>
      <translation>Netz</translation>
    </message>
    <message>
      <source>Overlays</source>
      <translation>Einblendungen</translation>
    </message>
    <message>
      <source>Processor</source>
      <translation>Prozessor</translation>
    </message>
    <message>
      <source>Qt built</source>
      <translation>Qt-Build</translation>
    </message>
    <message>
      <source>Screens</source>
      <translation>Bildschirme</translation>
    </message>
    <message>
      <source>Source</source>
      <translation>Quelle</translation>
    </message>
    <message>
      <source>Started as</source>
      <translation>Gestartet mit</translation>
    </message>
    <message>
      <source>State</source>
      <translation>Zustand</translation>
    </message>
    <message>
      <source>System</source>
      <translation>System</translation>
    </message>
    <message>
      <source>Windows by</source>
      <translation>Fenstersystem</translation>
    </message>
  </context>
  <context>
    <name>Document</name>
    <message>
      <source>adding an anchor</source>
      <translation>Anker hinzufügen</translation>
    </message>
    <message>
      <source>choosing a picture</source>
      <translation>Bild wählen</translation>
    </message>
    <message>
      <source>moving an anchor</source>
      <translation>Anker verschieben</translation>
    </message>
    <message>
      <source>placing the picture</source>
      <translation>Bild platzieren</translation>
    </message>
    <message>
      <source>removing an anchor</source>
      <translation>Anker entfernen</translation>
    </message>
  </context>
  <context>
    <name>ExportDialog</name>
    <message numerus="yes">
      <source>%n frame(s) of the session saved</source>
      <translation>
        <numerusform>%n Bild der Sitzung gespeichert</numerusform>
        <numerusform>%n Bilder der Sitzung gespeichert</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n frame(s) were left out, as the disk was too slow</source>
      <translation>
        <numerusform>%n Bild wurde ausgelassen, weil der Datenträger zu langsam war</numerusform>
        <numerusform>%n Bilder wurden ausgelassen, weil der Datenträger zu langsam war</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n frame(s) written</source>
      <translation>
        <numerusform>%n Bild geschrieben</numerusform>
        <numerusform>%n Bilder geschrieben</numerusform>
      </translation>
    </message>
    <message>
      <source>&amp;CSV table, as OpenFace writes it</source>
      <translation>&amp;CSV-Tabelle, wie OpenFace sie schreibt</translation>
    </message>
    <message>
      <source>&amp;JSON lines, an object for each frame</source>
      <translation>&amp;JSON-Zeilen, ein Objekt je Bild</translation>
    </message>
    <message>
      <source>&amp;Start export</source>
      <translation>Export &amp;starten</translation>
    </message>
    <message>
      <source>&amp;Stop export</source>
      <translation>Expo&amp;rt beenden</translation>
    </message>
    <message>
      <source>300-&amp;W .pts files, one for each face</source>
      <translation>300-&amp;W-Dateien (.pts), eine je Gesicht</translation>
    </message>
    <message>
      <source>Every frame is written, from the start until you stop.</source>
      <translation>Jedes Bild wird geschrieben, vom Start bis zum Beenden.</translation>
    </message>
    <message>
      <source>Export landmarks</source>
      <translation>Schlüsselpunkte exportieren</translation>
    </message>
    <message>
      <source>Folder for landmarks</source>
      <translation>Ordner für die Schlüsselpunkte</translation>
    </message>
    <message>
      <source>Formats</source>
      <translation>Formate</translation>
    </message>
    <message>
      <source>Open fo&amp;lder</source>
      <translation>&amp;Ordner öffnen</translation>
    </message>
    <message>
      <source>Save &amp;to:</source>
      <translation>S&amp;peichern in:</translation>
    </message>
    <message>
      <source>Start a camera or open a file in the window first.</source>
      <translation>Starten Sie zuerst im Fenster eine Kamera oder öffnen Sie eine Datei.</translation>
    </message>
    <message>
      <source>The running session</source>
      <translation>Laufende Sitzung</translation>
    </message>
  </context>
  <context>
    <name>ExportThread</name>
    <message>
      <source>the export failed ({0}); start it again, details are in the log</source>
      <translation>der Export ist fehlgeschlagen ({0}); starten Sie ihn neu, Näheres steht im Protokoll</translation>
    </message>
  </context>
  <context>
    <name>FaceChoice</name>
    <message>
      <source>All faces</source>
      <translation>Alle Gesichter</translation>
    </message>
    <message>
      <source>Face {0}</source>
      <translation>Gesicht {0}</translation>
    </message>
    <message>
      <source>Face {0} (gone)</source>
      <translation>Gesicht {0} (fort)</translation>
    </message>
  </context>
  <context>
    <name>FaceMenu</name>
    <message>
      <source>Add to this face</source>
      <translation>Zu diesem Gesicht hinzufügen</translation>
    </message>
    <message>
      <source>All overlays on every face</source>
      <translation>Alle Einblendungen auf jedes Gesicht</translation>
    </message>
    <message>
      <source>Face {0}</source>
      <translation>Gesicht {0}</translation>
    </message>
    <message>
      <source>No overlay is on</source>
      <translation>Keine Einblendung ist eingeschaltet</translation>
    </message>
    <message>
      <source>Overlays of a face</source>
      <translation>Einblendungen eines Gesichts</translation>
    </message>
    <message>
      <source>{0} on this face instead of face {1}</source>
      <translation>{0} auf dieses Gesicht statt auf Gesicht {1}</translation>
    </message>
    <message>
      <source>{0} only on this face</source>
      <translation>{0} nur auf dieses Gesicht</translation>
    </message>
  </context>
  <context>
    <name>FacePane</name>
    <message>
      <source>Arrow keys move the selected anchor to the next place of the face; digits select another one</source>
      <translation>Pfeiltasten verschieben den gewählten Anker zur nächsten Stelle des Gesichts; Ziffern wählen einen anderen</translation>
    </message>
    <message>
      <source>The face and what the anchors are tied to</source>
      <translation>Das Gesicht und woran die Anker hängen</translation>
    </message>
  </context>
  <context>
    <name>FacePanel</name>
    <message>
      <source>&amp;Copy</source>
      <translation>&amp;Kopieren</translation>
    </message>
    <message>
      <source>&amp;Save…</source>
      <translation>&amp;Speichern…</translation>
    </message>
    <message>
      <source>All of the picture, not only the face</source>
      <translation>Das ganze Bild, nicht nur das Gesicht</translation>
    </message>
    <message>
      <source>Copy this view as an image</source>
      <translation>Diese Ansicht als Bild kopieren</translation>
    </message>
    <message>
      <source>NME {0}</source>
      <translation>NME {0}</translation>
    </message>
    <message>
      <source>Numbers</source>
      <translation>Nummern</translation>
    </message>
    <message>
      <source>Parts</source>
      <translation>Teile</translation>
    </message>
    <message>
      <source>Prediction</source>
      <translation>Vorhersage</translation>
    </message>
    <message>
      <source>Save this view as a PNG file</source>
      <translation>Diese Ansicht als PNG-Datei speichern</translation>
    </message>
    <message>
      <source>Side by side</source>
      <translation>Nebeneinander</translation>
    </message>
    <message>
      <source>The labels of the data set</source>
      <translation>Die Annotationen des Datensatzes</translation>
    </message>
    <message>
      <source>The names of the parts of the face</source>
      <translation>Die Namen der Teile des Gesichts</translation>
    </message>
    <message>
      <source>The number of each keypoint</source>
      <translation>Die Nummer jedes Schlüsselpunkts</translation>
    </message>
    <message>
      <source>Truth</source>
      <translation>Wahrheit</translation>
    </message>
    <message>
      <source>Truth and prediction beside each other</source>
      <translation>Wahrheit und Vorhersage nebeneinander</translation>
    </message>
    <message>
      <source>What the network says of this face</source>
      <translation>Was das Netz zu diesem Gesicht sagt</translation>
    </message>
    <message>
      <source>Whole image</source>
      <translation>Ganzes Bild</translation>
    </message>
    <message>
      <source>inter-ocular distance {0} px</source>
      <translation>Augenabstand {0} px</translation>
    </message>
    <message>
      <source>test</source>
      <translation>Test</translation>
    </message>
    <message>
      <source>training</source>
      <translation>Training</translation>
    </message>
    <message>
      <source>{0}, line {1}</source>
      <translation>{0}, Zeile {1}</translation>
    </message>
  </context>
  <context>
    <name>FacePlaces</name>
    <message>
      <source>Above the upper lip</source>
      <translation>Über der Oberlippe</translation>
    </message>
    <message>
      <source>Base of the nose</source>
      <translation>Nasenbasis</translation>
    </message>
    <message>
      <source>Between the eyes</source>
      <translation>Zwischen den Augen</translation>
    </message>
    <message>
      <source>Chin</source>
      <translation>Kinn</translation>
    </message>
    <message>
      <source>Inner end of the left brow</source>
      <translation>Inneres Ende der linken Braue</translation>
    </message>
    <message>
      <source>Inner end of the right brow</source>
      <translation>Inneres Ende der rechten Braue</translation>
    </message>
    <message>
      <source>Jaw, keypoint {0}</source>
      <translation>Kiefer, Schlüsselpunkt {0}</translation>
    </message>
    <message>
      <source>Left brow, keypoint {0}</source>
      <translation>Linke Braue, Schlüsselpunkt {0}</translation>
    </message>
    <message>
      <source>Left corner of the mouth</source>
      <translation>Linker Mundwinkel</translation>
    </message>
    <message>
      <source>Left end of the jaw</source>
      <translation>Linkes Ende des Kiefers</translation>
    </message>
    <message>
      <source>Left eye</source>
      <translation>Linkes Auge</translation>
    </message>
    <message>
      <source>Left eye, keypoint {0}</source>
      <translation>Linkes Auge, Schlüsselpunkt {0}</translation>
    </message>
    <message>
      <source>Left of the upper lip</source>
      <translation>Links an der Oberlippe</translation>
    </message>
    <message>
      <source>Lips, keypoint {0}</source>
      <translation>Lippen, Schlüsselpunkt {0}</translation>
    </message>
    <message>
      <source>Middle of the left brow</source>
      <translation>Mitte der linken Braue</translation>
    </message>
    <message>
      <source>Middle of the mouth</source>
      <translation>Mitte des Mundes</translation>
    </message>
    <message>
      <source>Middle of the right brow</source>
      <translation>Mitte der rechten Braue</translation>
    </message>
    <message>
      <source>Middle of {0} keypoints</source>
      <translation>Mitte von {0} Schlüsselpunkten</translation>
    </message>
    <message>
      <source>Nose, keypoint {0}</source>
      <translation>Nase, Schlüsselpunkt {0}</translation>
    </message>
    <message>
      <source>Outer corner of the left eye</source>
      <translation>Äußerer Winkel des linken Auges</translation>
    </message>
    <message>
      <source>Outer corner of the right eye</source>
      <translation>Äußerer Winkel des rechten Auges</translation>
    </message>
    <message>
      <source>Outer end of the left brow</source>
      <translation>Äußeres Ende der linken Braue</translation>
    </message>
    <message>
      <source>Outer end of the right brow</source>
      <translation>Äußeres Ende der rechten Braue</translation>
    </message>
    <message>
      <source>Right brow, keypoint {0}</source>
      <translation>Rechte Braue, Schlüsselpunkt {0}</translation>
    </message>
    <message>
      <source>Right corner of the mouth</source>
      <translation>Rechter Mundwinkel</translation>
    </message>
    <message>
      <source>Right end of the jaw</source>
      <translation>Rechtes Ende des Kiefers</translation>
    </message>
    <message>
      <source>Right eye</source>
      <translation>Rechtes Auge</translation>
    </message>
    <message>
      <source>Right eye, keypoint {0}</source>
      <translation>Rechtes Auge, Schlüsselpunkt {0}</translation>
    </message>
    <message>
      <source>Right of the upper lip</source>
      <translation>Rechts an der Oberlippe</translation>
    </message>
    <message>
      <source>Tip of the nose</source>
      <translation>Nasenspitze</translation>
    </message>
    <message>
      <source>Top of the nose</source>
      <translation>Nasenwurzel</translation>
    </message>
  </context>
  <context>
    <name>FaceSide</name>
    <message>
      <source>Nobody is in view</source>
      <translation>Niemand ist im Bild</translation>
    </message>
    <message>
      <source>On the &amp;live picture</source>
      <translation>Im &amp;Live-Bild</translation>
    </message>
    <message>
      <source>On the face</source>
      <translation>Auf dem Gesicht</translation>
    </message>
    <message>
      <source>Try it on whoever is in view</source>
      <translation>An allen ausprobieren, die im Bild sind</translation>
    </message>
  </context>
  <context>
    <name>FaceView</name>
    <message>
      <source>Large view of the face</source>
      <translation>Große Ansicht des Gesichts</translation>
    </message>
    <message>
      <source>predicted</source>
      <translation>vorhergesagt</translation>
    </message>
    <message>
      <source>true</source>
      <translation>wahr</translation>
    </message>
    <message>
      <source>{0} px apart</source>
      <translation>{0} px auseinander</translation>
    </message>
  </context>
  <context>
    <name>FailurePanel</name>
    <message>
      <source>C&amp;opy</source>
      <translation>&amp;Kopieren</translation>
    </message>
    <message>
      <source>Copied</source>
      <translation>Kopiert</translation>
    </message>
    <message>
      <source>Copy the reason and the last lines, for a bug report</source>
      <translation>Grund und letzte Zeilen kopieren, für einen Fehlerbericht</translation>
    </message>
    <message>
      <source>Go on with the run from where its last epoch ended</source>
      <translation>Den Lauf nach seiner letzten fertigen Epoche fortsetzen</translation>
    </message>
    <message>
      <source>Last lines of the training process</source>
      <translation>Letzte Zeilen des Trainingsprozesses</translation>
    </message>
    <message>
      <source>Last lines:</source>
      <translation>Letzte Zeilen:</translation>
    </message>
    <message>
      <source>No program opens it; the log is {0}.</source>
      <translation>Kein Programm öffnet es; das Protokoll ist {0}.</translation>
    </message>
    <message>
      <source>Open &amp;log</source>
      <translation>&amp;Protokoll öffnen</translation>
    </message>
    <message>
      <source>Open everything that the process wrote</source>
      <translation>Alles öffnen, was der Prozess geschrieben hat</translation>
    </message>
    <message>
      <source>R&amp;esume</source>
      <translation>&amp;Fortsetzen</translation>
    </message>
    <message>
      <source>There is no log at {0}.</source>
      <translation>Unter {0} gibt es kein Protokoll.</translation>
    </message>
  </context>
  <context>
    <name>FileExportBox</name>
    <message numerus="yes">
      <source>%n face(s) saved</source>
      <translation>
        <numerusform>%n Gesicht gespeichert</numerusform>
        <numerusform>%n Gesichter gespeichert</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n frame(s) saved</source>
      <translation>
        <numerusform>%n Bild gespeichert</numerusform>
        <numerusform>%n Bilder gespeichert</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n of them with faces</source>
      <translation>
        <numerusform>%n davon mit Gesichtern</numerusform>
        <numerusform>%n davon mit Gesichtern</numerusform>
      </translation>
    </message>
    <message>
      <source>&amp;Export file</source>
      <translation>&amp;Datei exportieren</translation>
    </message>
    <message>
      <source>A file</source>
      <translation>Eine Datei</translation>
    </message>
    <message>
      <source>All files (*)</source>
      <translation>Alle Dateien (*)</translation>
    </message>
    <message>
      <source>Also save it with the &amp;overlays that are on</source>
      <translation>Auch mit den aktiven &amp;Einblendungen speichern</translation>
    </message>
    <message>
      <source>Choose &amp;file…</source>
      <translation>D&amp;atei wählen…</translation>
    </message>
    <message>
      <source>Picture or video</source>
      <translation>Bild oder Video</translation>
    </message>
    <message>
      <source>Picture or video to export from</source>
      <translation>Bild oder Video, aus dem exportiert wird</translation>
    </message>
    <message>
      <source>Pictures and videos ({0})</source>
      <translation>Bilder und Videos ({0})</translation>
    </message>
    <message>
      <source>Progress of the file's export</source>
      <translation>Fortschritt des Dateiexports</translation>
    </message>
    <message>
      <source>Sto&amp;p</source>
      <translation>S&amp;topp</translation>
    </message>
    <message>
      <source>Stop the file's export</source>
      <translation>Den Dateiexport stoppen</translation>
    </message>
    <message>
      <source>Stopped; what was done until then is kept</source>
      <translation>Gestoppt; was bis dahin fertig war, bleibt erhalten</translation>
    </message>
  </context>
  <context>
    <name>FilterBar</name>
    <message>
      <source>&amp;Identity</source>
      <translation>&amp;Person</translation>
    </message>
    <message>
      <source>&amp;Order</source>
      <translation>&amp;Reihenfolge</translation>
    </message>
    <message>
      <source>All splits</source>
      <translation>Alle Teile</translation>
    </message>
    <message>
      <source>As in the table</source>
      <translation>Wie in der Tabelle</translation>
    </message>
    <message>
      <source>Everybody</source>
      <translation>Alle</translation>
    </message>
    <message>
      <source>Identity</source>
      <translation>Person</translation>
    </message>
    <message>
      <source>Order</source>
      <translation>Reihenfolge</translation>
    </message>
    <message>
      <source>Problems only</source>
      <translation>Nur Probleme</translation>
    </message>
    <message>
      <source>Size of the thumbnails</source>
      <translation>Größe der Vorschaubilder</translation>
    </message>
    <message>
      <source>Split</source>
      <translation>Teil</translation>
    </message>
    <message>
      <source>Test</source>
      <translation>Test</translation>
    </message>
    <message>
      <source>Training</source>
      <translation>Training</translation>
    </message>
    <message>
      <source>What cannot be used, and what there is something to know about</source>
      <translation>Was unbrauchbar ist und wozu es etwas zu wissen gibt</translation>
    </message>
    <message>
      <source>Where the network is furthest off; it judges the faces first</source>
      <translation>Wo das Netz am weitesten danebenliegt; es beurteilt die Gesichter zuerst</translation>
    </message>
    <message>
      <source>Whose faces are shown: a file name up to its last underscore, or a part of it</source>
      <translation>Wessen Gesichter gezeigt werden: ein Dateiname bis zum letzten Unterstrich oder ein Teil davon</translation>
    </message>
    <message>
      <source>Worst NME first</source>
      <translation>Höchster NME zuerst</translation>
    </message>
  </context>
  <context>
    <name>FolderRow</name>
    <message>
      <source>Choose: {0}</source>
      <translation>Wählen: {0}</translation>
    </message>
    <message>
      <source>Choose…</source>
      <translation>Wählen…</translation>
    </message>
  </context>
  <context>
    <name>HelpButton</name>
    <message>
      <source>Help</source>
      <translation>Hilfe</translation>
    </message>
    <message>
      <source>Open the manual at this place (F1)</source>
      <translation>Handbuch an dieser Stelle öffnen, auf Englisch (F1)</translation>
    </message>
  </context>
  <context>
    <name>HelpDesk</name>
    <message>
      <source>Diagnostics are on the clipboard</source>
      <translation>Die Diagnose ist in der Zwischenablage</translation>
    </message>
    <message>
      <source>The log cannot be opened here; it is {0}.</source>
      <translation>Das Protokoll lässt sich hier nicht öffnen; es ist {0}.</translation>
    </message>
  </context>
  <context>
    <name>Job</name>
    <message>
      <source>{0} failed unexpectedly ({1}); details are in the log</source>
      <translation>{0}: unerwarteter Fehler ({1}); Näheres steht im Protokoll</translation>
    </message>
  </context>
  <context>
    <name>LauncherDesk</name>
    <message>
      <source>&amp;Mend the start menu's entry</source>
      <translation>Eintrag im Startmenü &amp;reparieren</translation>
    </message>
    <message>
      <source>&amp;Remove from the start menu</source>
      <translation>Aus dem Startmenü &amp;entfernen</translation>
    </message>
    <message>
      <source>Add to Applications</source>
      <translation>Zu den Programmen hinzufügen</translation>
    </message>
    <message>
      <source>Add to the &amp;start menu</source>
      <translation>Zum &amp;Startmenü hinzufügen</translation>
    </message>
    <message>
      <source>Mend the entry in Applications</source>
      <translation>Eintrag in den Programmen reparieren</translation>
    </message>
    <message>
      <source>Remove from Applications</source>
      <translation>Aus den Programmen entfernen</translation>
    </message>
  </context>
  <context>
    <name>LayerModel</name>
    <message>
      <source>Kind</source>
      <translation>Art</translation>
    </message>
    <message>
      <source>Layer</source>
      <translation>Schicht</translation>
    </message>
    <message>
      <source>Numbers that training has set, as the weights file holds them</source>
      <translation>Zahlen, die das Training festgelegt hat, wie sie in der Gewichtsdatei stehen</translation>
    </message>
    <message>
      <source>Output</source>
      <translation>Ausgabe</translation>
    </message>
    <message>
      <source>Parameters</source>
      <translation>Parameter</translation>
    </message>
    <message>
      <source>Share of the time that the network takes for one face</source>
      <translation>Anteil an der Zeit, die das Netz für ein Gesicht braucht</translation>
    </message>
    <message>
      <source>The keypoints, and all that is computed between and after the layers</source>
      <translation>Die Schlüsselpunkte und alles, was zwischen und nach den Schichten berechnet wird</translation>
    </message>
    <message>
      <source>Time</source>
      <translation>Zeit</translation>
    </message>
    <message>
      <source>What comes out for one face: maps, height and width, or how many values</source>
      <translation>Was für ein Gesicht herauskommt: Karten, Höhe und Breite oder die Zahl der Werte</translation>
    </message>
    <message>
      <source>{0} ms for one face, {1} of the whole</source>
      <translation>{0} ms für ein Gesicht, {1} des Ganzen</translation>
    </message>
    <message>
      <source>{0}, with its batch normalisation folded in</source>
      <translation>{0} mit eingerechneter Batch-Normalisierung</translation>
    </message>
  </context>
  <context>
    <name>LayerTable</name>
    <message>
      <source>Layers of the network</source>
      <translation>Schichten des Netzes</translation>
    </message>
  </context>
  <context>
    <name>LookBar</name>
    <message>
      <source>&amp;Colours</source>
      <translation>&amp;Farben</translation>
    </message>
    <message>
      <source>&amp;Copy</source>
      <translation>&amp;Kopieren</translation>
    </message>
    <message>
      <source>&amp;Depth</source>
      <translation>&amp;Tiefe</translation>
    </message>
    <message>
      <source>&amp;Keep its shape</source>
      <translation>Form &amp;beibehalten</translation>
    </message>
    <message>
      <source>&amp;Opacity</source>
      <translation>&amp;Deckkraft</translation>
    </message>
    <message>
      <source>&amp;Save as PNG</source>
      <translation>PNG &amp;speichern</translation>
    </message>
    <message>
      <source>All maps of the layer…</source>
      <translation>Alle Karten der Schicht…</translation>
    </message>
    <message>
      <source>Also on the other &amp;half</source>
      <translation>Auch auf der anderen &amp;Hälfte</translation>
    </message>
    <message>
      <source>Behind all others</source>
      <translation>Hinter allen anderen</translation>
    </message>
    <message>
      <source>Brighter is more in both</source>
      <translation>Heller ist in beiden mehr</translation>
    </message>
    <message>
      <source>Colours</source>
      <translation>Farben</translation>
    </message>
    <message>
      <source>Contrast</source>
      <translation>Kontrast</translation>
    </message>
    <message>
      <source>Copy what is shown to the clipboard</source>
      <translation>Das Gezeigte in die Zwischenablage kopieren</translation>
    </message>
    <message>
      <source>Darken (multiply)</source>
      <translation>Abdunkeln (Multiplizieren)</translation>
    </message>
    <message>
      <source>Each map</source>
      <translation>Jede Karte</translation>
    </message>
    <message>
      <source>Fit</source>
      <translation>Passend</translation>
    </message>
    <message>
      <source>Grey</source>
      <translation>Grau</translation>
    </message>
    <message>
      <source>How far in front it lies</source>
      <translation>Wie weit vorn sie liegt</translation>
    </message>
    <message>
      <source>How its colours mix with the face</source>
      <translation>Wie sich die Farben mit dem Gesicht mischen</translation>
    </message>
    <message>
      <source>How large each map is; what does not fit is on further pages</source>
      <translation>Wie groß jede Karte ist; was nicht passt, steht auf weiteren Seiten</translation>
    </message>
    <message>
      <source>In front of all others</source>
      <translation>Vor allen anderen</translation>
    </message>
    <message>
      <source>Its own ({0})</source>
      <translation>Eigene ({0})</translation>
    </message>
    <message>
      <source>Large</source>
      <translation>Groß</translation>
    </message>
    <message>
      <source>Lighten (screen)</source>
      <translation>Aufhellen (Negativ multiplizieren)</translation>
    </message>
    <message>
      <source>Like a hat</source>
      <translation>Wie ein Hut</translation>
    </message>
    <message>
      <source>Like a mask</source>
      <translation>Wie eine Maske</translation>
    </message>
    <message>
      <source>Like a moustache</source>
      <translation>Wie ein Schnurrbart</translation>
    </message>
    <message>
      <source>Like glasses</source>
      <translation>Wie eine Brille</translation>
    </message>
    <message>
      <source>Make-up (soft light)</source>
      <translation>Make-up (Weiches Licht)</translation>
    </message>
    <message>
      <source>Map size</source>
      <translation>Größe</translation>
    </message>
    <message>
      <source>Medium</source>
      <translation>Mittel</translation>
    </message>
    <message>
      <source>More contrast (overlay)</source>
      <translation>Mehr Kontrast (Überlagern)</translation>
    </message>
    <message>
      <source>Normal</source>
      <translation>Normal</translation>
    </message>
    <message>
      <source>Only move, scale and turn the picture; otherwise three or more anchors also bend it</source>
      <translation>Das Bild nur verschieben, skalieren und drehen; sonst verbiegen drei oder mehr Anker es auch</translation>
    </message>
    <message>
      <source>Opacity</source>
      <translation>Deckkraft</translation>
    </message>
    <message>
      <source>Paint it once more, mirrored: an ear or an earring needs only one picture</source>
      <translation>Noch einmal gespiegelt zeichnen: Ein Ohr oder ein Ohrring braucht nur ein Bild</translation>
    </message>
    <message>
      <source>Small</source>
      <translation>Klein</translation>
    </message>
    <message>
      <source>Viridis</source>
      <translation>Viridis</translation>
    </message>
    <message>
      <source>What is shown…</source>
      <translation>Das Gezeigte…</translation>
    </message>
    <message>
      <source>Whether each map uses all colours, or all maps of the layer share one scale</source>
      <translation>Ob jede Karte alle Farben nutzt oder alle Karten der Schicht eine Skala teilen</translation>
    </message>
    <message>
      <source>Whole layer</source>
      <translation>Ganze Schicht</translation>
    </message>
    <message>
      <source>bending</source>
      <translation>Verbiegung</translation>
    </message>
    <message>
      <source>depth</source>
      <translation>Tiefe</translation>
    </message>
    <message>
      <source>mirroring</source>
      <translation>Spiegelung</translation>
    </message>
    <message>
      <source>mixing colours</source>
      <translation>Farbmischung</translation>
    </message>
    <message>
      <source>opacity</source>
      <translation>Deckkraft</translation>
    </message>
    <message>
      <source>{0} %</source>
      <translation>{0} %</translation>
    </message>
  </context>
  <context>
    <name>LossPlot</name>
    <message>
      <source>Best: epoch {0}, loss {1}, NME {2}</source>
      <translation>Beste: Epoche {0}, Verlust {1}, NME {2}</translation>
    </message>
    <message>
      <source>Epoch</source>
      <translation>Epoche</translation>
    </message>
    <message>
      <source>Epoch {0}, loss {1}, NME {2}</source>
      <translation>Epoche {0}, Verlust {1}, NME {2}</translation>
    </message>
    <message>
      <source>Figures of the epoch</source>
      <translation>Kennzahlen der Epoche</translation>
    </message>
    <message>
      <source>Lo&amp;garithmic scale</source>
      <translation>L&amp;ogarithmische Skala</translation>
    </message>
    <message>
      <source>NME on the validation faces, in %</source>
      <translation>NME der Validierungsgesichter in %</translation>
    </message>
    <message>
      <source>The curves begin after the first epoch.</source>
      <translation>Die Kurven beginnen nach der ersten Epoche.</translation>
    </message>
    <message>
      <source>Training curves</source>
      <translation>Trainingskurven</translation>
    </message>
    <message>
      <source>Training loss</source>
      <translation>Trainingsverlust</translation>
    </message>
  </context>
  <context>
    <name>MainWindow</name>
    <message>
      <source>Loading the network…</source>
      <translation>Das Netz wird geladen…</translation>
    </message>
    <message>
      <source>Looking for faces…</source>
      <translation>Gesichter werden gesucht…</translation>
    </message>
    <message>
      <source>The end. Space plays it again</source>
      <translation>Zu Ende. Mit der Leertaste noch einmal abspielen</translation>
    </message>
    <message>
      <source>loading…</source>
      <translation>wird geladen…</translation>
    </message>
    <message>
      <source>no network</source>
      <translation>kein Netz</translation>
    </message>
  </context>
  <context>
    <name>ManualWindow</name>
    <message>
      <source>Back</source>
      <translation>Zurück</translation>
    </message>
    <message>
      <source>Contents</source>
      <translation>Inhalt</translation>
    </message>
    <message>
      <source>Forward</source>
      <translation>Vor</translation>
    </message>
    <message>
      <source>Manual</source>
      <translation>Handbuch (englisch)</translation>
    </message>
    <message>
      <source>No browser was found</source>
      <translation>Kein Browser gefunden</translation>
    </message>
    <message>
      <source>No page has this.</source>
      <translation>Das steht auf keiner Seite.</translation>
    </message>
    <message>
      <source>Open in the browser</source>
      <translation>Im Browser öffnen</translation>
    </message>
    <message>
      <source>Page of the manual</source>
      <translation>Seite des Handbuchs</translation>
    </message>
    <message>
      <source>Search (Ctrl+F)</source>
      <translation>Suchen (Strg+F)</translation>
    </message>
    <message>
      <source>Search the manual</source>
      <translation>Im Handbuch suchen</translation>
    </message>
    <message>
      <source>The manual was not installed; README.md in the project's folder has the essentials.</source>
      <translation>Das Handbuch ist nicht installiert; das Wichtigste steht in README.md im Ordner des Projekts.</translation>
    </message>
  </context>
  <context>
    <name>MapsView</name>
    <message>
      <source>Picture of the layer</source>
      <translation>Bild der Schicht</translation>
    </message>
  </context>
  <context>
    <name>NetworkInspector</name>
    <message>
      <source>, and the keypoints that it finds</source>
      <translation>, und die Schlüsselpunkte, die es findet</translation>
    </message>
    <message>
      <source>, here {0}</source>
      <translation>, hier {0}</translation>
    </message>
    <message>
      <source>A large network</source>
      <translation>Ein großes Netz</translation>
    </message>
    <message>
      <source>Activation maps</source>
      <translation>Aktivierungskarten</translation>
    </message>
    <message>
      <source>Batch normalisations are folded into their convolutions, as in the live session.</source>
      <translation>Batch-Normalisierungen sind in ihre Faltungen eingerechnet, wie in der Live-Sitzung.</translation>
    </message>
    <message>
      <source>Computing…</source>
      <translation>Wird berechnet…</translation>
    </message>
    <message>
      <source>Copied.</source>
      <translation>Kopiert.</translation>
    </message>
    <message>
      <source>First-layer kernels</source>
      <translation>Kerne der ersten Schicht</translation>
    </message>
    <message>
      <source>Input</source>
      <translation>Eingabe</translation>
    </message>
    <message>
      <source>It takes {0} GB of memory here, beside what the live session has, and some seconds to load. Its maps come slower too.</source>
      <translation>Es braucht hier {0} GB Speicher, zusätzlich zu dem der Live-Sitzung, und einige Sekunden zum Laden. Auch seine Karten kommen langsamer.</translation>
    </message>
    <message>
      <source>Kernel</source>
      <translation>Kern</translation>
    </message>
    <message>
      <source>Load it</source>
      <translation>Laden</translation>
    </message>
    <message>
      <source>Loading the network…</source>
      <translation>Das Netz wird geladen…</translation>
    </message>
    <message>
      <source>Look into the shipped network</source>
      <translation>Mitgeliefertes Netz untersuchen</translation>
    </message>
    <message>
      <source>Map</source>
      <translation>Karte</translation>
    </message>
    <message>
      <source>Network inspector</source>
      <translation>Netz untersuchen</translation>
    </message>
    <message>
      <source>No kernels</source>
      <translation>Keine Kerne</translation>
    </message>
    <message>
      <source>No live picture yet</source>
      <translation>Noch kein Live-Bild</translation>
    </message>
    <message>
      <source>No network</source>
      <translation>Kein Netz</translation>
    </message>
    <message>
      <source>Open an image…</source>
      <translation>Bild öffnen…</translation>
    </message>
    <message>
      <source>Saved {0}.</source>
      <translation>{0} gespeichert.</translation>
    </message>
    <message>
      <source>Shipped weights</source>
      <translation>Mitgelieferte Gewichte</translation>
    </message>
    <message>
      <source>Start the camera or the demo clip, or open an image.</source>
      <translation>Starten Sie die Kamera oder den Demo-Clip, oder öffnen Sie ein Bild.</translation>
    </message>
    <message>
      <source>This network has no convolution.</source>
      <translation>Dieses Netz hat keine Faltung.</translation>
    </message>
    <message>
      <source>Try again</source>
      <translation>Erneut versuchen</translation>
    </message>
    <message>
      <source>Value {0} of {1}: {2}</source>
      <translation>Wert {0} von {1}: {2}</translation>
    </message>
    <message>
      <source>What the network sees: {0} {1} {0} grey pixels</source>
      <translation>Was das Netz sieht: {0} {1} {0} graue Pixel</translation>
    </message>
    <message>
      <source>What to show</source>
      <translation>Was gezeigt wird</translation>
    </message>
    <message>
      <source>one value</source>
      <translation>ein Wert</translation>
    </message>
    <message>
      <source>shipped weights</source>
      <translation>mitgelieferte Gewichte</translation>
    </message>
    <message>
      <source>{0} kernels of {1} {2} {3}: brighter is more</source>
      <translation>{0} Kerne mit {1} {2} {3}: heller ist mehr</translation>
    </message>
    <message>
      <source>{0} parameters, {1} ms a face on {2}.</source>
      <translation>{0} Parameter, {1} ms je Gesicht auf {2}.</translation>
    </message>
    <message>
      <source>{0} to {1}</source>
      <translation>{0} bis {1}</translation>
    </message>
    <message>
      <source>{0} values</source>
      <translation>{0} Werte</translation>
    </message>
    <message>
      <source>{0} {1} of {2}: {3}</source>
      <translation>{0} {1} von {2}: {3}</translation>
    </message>
    <message>
      <source>{0}: {1} maps of {2} {3} {4}</source>
      <translation>{0}: {1} Karten mit {2} {3} {4}</translation>
    </message>
    <message>
      <source>{0}: {1}, {2}</source>
      <translation>{0}: {1}, {2}</translation>
    </message>
  </context>
  <context>
    <name>NetworkMenu</name>
    <message>
      <source>&amp;Use</source>
      <translation>&amp;Verwenden</translation>
    </message>
    <message>
      <source>&amp;Weights file…</source>
      <translation>&amp;Gewichtsdatei…</translation>
    </message>
    <message>
      <source>Open weights</source>
      <translation>Gewichte öffnen</translation>
    </message>
    <message>
      <source>Shipped network</source>
      <translation>Mitgeliefertes Netz</translation>
    </message>
    <message>
      <source>Weights</source>
      <translation>Gewichte</translation>
    </message>
    <message>
      <source>{0} ({1})</source>
      <translation>{0} ({1})</translation>
    </message>
    <message>
      <source>{0} ({1}, NME {2})</source>
      <translation>{0} ({1}, NME {2})</translation>
    </message>
  </context>
  <context>
    <name>NewRunPage</name>
    <message>
      <source>A run is under way; the next one can start when it has ended.</source>
      <translation>Ein Lauf ist im Gange; der nächste kann beginnen, wenn er zu Ende ist.</translation>
    </message>
    <message>
      <source>Name of the run</source>
      <translation>Name des Laufs</translation>
    </message>
    <message>
      <source>Start training</source>
      <translation>Training starten</translation>
    </message>
    <message>
      <source>The name of the run becomes a folder's: leave out \ / : * ? " &lt; &gt; | and outer dots.</source>
      <translation>Nach dem Lauf wird ein Ordner benannt: Vermeiden Sie im Namen \ / : * ? " &lt; &gt; | und Punkte am Anfang und Ende.</translation>
    </message>
    <message>
      <source>There is a run called {0} already; choose another name.</source>
      <translation>Einen Lauf namens {0} gibt es schon; wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
      <source>name of the run</source>
      <translation>Name des Laufs</translation>
    </message>
  </context>
  <context>
    <name>NoticeLine</name>
    <message>
      <source>All {0} notices</source>
      <translation>Alle {0} Hinweise</translation>
    </message>
    <message>
      <source>Read it all</source>
      <translation>Alles lesen</translation>
    </message>
    <message>
      <source>Show less</source>
      <translation>Weniger zeigen</translation>
    </message>
  </context>
  <context>
    <name>NumberEditor</name>
    <message>
      <source>a number is missing</source>
      <translation>eine Zahl fehlt</translation>
    </message>
    <message>
      <source>{0} is not a number; write it like 0.005 or 5e-3</source>
      <translation>{0} ist keine Zahl; schreiben Sie sie wie 0.005 oder 5e-3</translation>
    </message>
  </context>
  <context>
    <name>OverlayActions</name>
    <message>
      <source>Paint “{0}”</source>
      <translation>„{0}“ zeigen</translation>
    </message>
    <message>
      <source>Paint “{0}” ({1})</source>
      <translation>„{0}“ zeigen ({1})</translation>
    </message>
  </context>
  <context>
    <name>OverlayDesk</name>
    <message>
      <source>&amp;Overlays</source>
      <translation>&amp;Einblendungen</translation>
    </message>
    <message>
      <source>Overlays</source>
      <translation>Einblendungen</translation>
    </message>
  </context>
  <context>
    <name>OverlayEditor</name>
    <message>
      <source>&amp;Name</source>
      <translation>&amp;Name</translation>
    </message>
    <message>
      <source>&amp;Save</source>
      <translation>&amp;Speichern</translation>
    </message>
    <message>
      <source>A PNG or SVG with transparent parts is best; one can be dropped here</source>
      <translation>Am besten ist ein PNG oder SVG mit durchsichtigen Teilen; es lässt sich auch hierher ziehen</translation>
    </message>
    <message>
      <source>Add your own overlay</source>
      <translation>Eigene Einblendung hinzufügen</translation>
    </message>
    <message>
      <source>All files</source>
      <translation>Alle Dateien</translation>
    </message>
    <message>
      <source>Anchors on one line do not tie the picture down; drag one of them elsewhere.</source>
      <translation>Anker auf einer Linie halten das Bild nicht fest; ziehen Sie einen davon woandershin.</translation>
    </message>
    <message>
      <source>Cancel</source>
      <translation>Abbrechen</translation>
    </message>
    <message>
      <source>Choose a picture</source>
      <translation>Bild wählen</translation>
    </message>
    <message>
      <source>Choose picture…</source>
      <translation>Bild wählen…</translation>
    </message>
    <message>
      <source>Discard</source>
      <translation>Verwerfen</translation>
    </message>
    <message>
      <source>Edit overlay</source>
      <translation>Einblendung bearbeiten</translation>
    </message>
    <message>
      <source>Give the overlay a name.</source>
      <translation>Geben Sie der Einblendung einen Namen.</translation>
    </message>
    <message>
      <source>Go on editing</source>
      <translation>Weiter bearbeiten</translation>
    </message>
    <message>
      <source>One moment, the last picture is still being read.</source>
      <translation>Einen Moment, das letzte Bild wird noch gelesen.</translation>
    </message>
    <message>
      <source>Otherwise what you did here is lost.</source>
      <translation>Sonst geht verloren, was Sie hier geändert haben.</translation>
    </message>
    <message>
      <source>Pictures</source>
      <translation>Bilder</translation>
    </message>
    <message>
      <source>Reading the picture</source>
      <translation>Bild lesen</translation>
    </message>
    <message>
      <source>Save</source>
      <translation>Speichern</translation>
    </message>
    <message>
      <source>Save the overlay before closing?</source>
      <translation>Die Einblendung vor dem Schließen speichern?</translation>
    </message>
    <message>
      <source>Saving the overlay</source>
      <translation>Einblendung speichern</translation>
    </message>
    <message>
      <source>The overlay is not there any more; close this window and begin a new one.</source>
      <translation>Die Einblendung ist nicht mehr da; schließen Sie dieses Fenster und beginnen Sie eine neue.</translation>
    </message>
    <message>
      <source>The picture is very large; it is kept at {0} pixels.</source>
      <translation>Das Bild ist sehr groß; es wird mit {0} Pixeln gespeichert.</translation>
    </message>
    <message>
      <source>This overlay has several pictures; change the files in its folder.</source>
      <translation>Diese Einblendung hat mehrere Bilder; ändern Sie die Dateien in ihrem Ordner.</translation>
    </message>
    <message>
      <source>What it is called in the gallery</source>
      <translation>Wie sie in der Galerie heißt</translation>
    </message>
    <message>
      <source>Your picture</source>
      <translation>Ihr Bild</translation>
    </message>
    <message>
      <source>the name</source>
      <translation>der Name</translation>
    </message>
  </context>
  <context>
    <name>OverlayGallery</name>
    <message>
      <source>Add your own…</source>
      <translation>Eigene hinzufügen…</translation>
    </message>
    <message>
      <source>Drawn</source>
      <translation>Gezeichnet</translation>
    </message>
    <message>
      <source>Fun</source>
      <translation>Spaß</translation>
    </message>
    <message>
      <source>Make an overlay from a picture; one can be dropped here, too</source>
      <translation>Aus einem Bild eine Einblendung machen; es lässt sich auch hierher ziehen</translation>
    </message>
    <message>
      <source>Not usable</source>
      <translation>Nicht verwendbar</translation>
    </message>
    <message>
      <source>Overlays</source>
      <translation>Einblendungen</translation>
    </message>
    <message>
      <source>Privacy</source>
      <translation>Privatsphäre</translation>
    </message>
    <message>
      <source>Your own</source>
      <translation>Eigene</translation>
    </message>
  </context>
  <context>
    <name>OverlayTile</name>
    <message>
      <source>key {0}</source>
      <translation>Taste {0}</translation>
    </message>
  </context>
  <context>
    <name>Overlays</name>
    <message>
      <source>Blur faces</source>
      <translation>Gesichter weichzeichnen</translation>
    </message>
    <message>
      <source>Face boxes</source>
      <translation>Gesichtsrahmen</translation>
    </message>
    <message>
      <source>Head pose</source>
      <translation>Kopfhaltung</translation>
    </message>
    <message>
      <source>Keypoints</source>
      <translation>Punkte</translation>
    </message>
    <message>
      <source>Mesh</source>
      <translation>Gitter</translation>
    </message>
    <message>
      <source>Numbers</source>
      <translation>Nummern</translation>
    </message>
    <message>
      <source>Pixelate faces</source>
      <translation>Gesichter verpixeln</translation>
    </message>
    <message>
      <source>en</source>
      <comment>the code of the language of this translation, such as de</comment>
      <translation>de</translation>
    </message>
    <message>
      <source>yaw {0}°   pitch {1}°   roll {2}°</source>
      <translation>Gieren {0}°   Nicken {1}°   Rollen {2}°</translation>
    </message>
  </context>
  <context>
    <name>OwnOverlays</name>
    <message>
      <source>Delete for good</source>
      <translation>Endgültig löschen</translation>
    </message>
    <message>
      <source>Delete it for good? This cannot be undone.</source>
      <translation>Endgültig löschen? Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
      <source>Delete overlay</source>
      <translation>Einblendung löschen</translation>
    </message>
    <message>
      <source>Delete “{0}”?</source>
      <translation>„{0}“ löschen?</translation>
    </message>
    <message>
      <source>Its folder is moved to the trash:
{0}</source>
      <translation>Der Ordner wird in den Papierkorb verschoben:
{0}</translation>
    </message>
    <message>
      <source>Move to trash</source>
      <translation>In den Papierkorb</translation>
    </message>
    <message>
      <source>Name of the overlay:</source>
      <translation>Name der Einblendung:</translation>
    </message>
    <message>
      <source>No file manager opened {0}.</source>
      <translation>Kein Dateimanager hat {0} geöffnet.</translation>
    </message>
    <message>
      <source>Rename overlay</source>
      <translation>Einblendung umbenennen</translation>
    </message>
    <message>
      <source>There is no trash for “{0}”.</source>
      <translation>Für „{0}“ gibt es keinen Papierkorb.</translation>
    </message>
    <message>
      <source>{0} cannot be renamed: {1}.</source>
      <translation>{0} lässt sich nicht umbenennen: {1}.</translation>
    </message>
    <message>
      <source>“{0}” is deleted.</source>
      <translation>„{0}“ ist gelöscht.</translation>
    </message>
    <message>
      <source>“{0}” is in the trash.</source>
      <translation>„{0}“ ist im Papierkorb.</translation>
    </message>
  </context>
  <context>
    <name>PageBar</name>
    <message>
      <source>&amp;All maps</source>
      <translation>&amp;Alle Karten</translation>
    </message>
    <message>
      <source>Back to all maps of the layer (Esc)</source>
      <translation>Zurück zu allen Karten der Schicht (Esc)</translation>
    </message>
    <message>
      <source>Next</source>
      <translation>Weiter</translation>
    </message>
    <message>
      <source>Previous</source>
      <translation>Zurück</translation>
    </message>
    <message>
      <source>{0} of {1}</source>
      <translation>{0} von {1}</translation>
    </message>
  </context>
  <context>
    <name>PicturePane</name>
    <message>
      <source>Arrow keys move the selected anchor, with Shift ten times as far; digits select another one</source>
      <translation>Pfeiltasten verschieben den gewählten Anker, mit Umschalt zehnmal so weit; Ziffern wählen einen anderen</translation>
    </message>
    <message>
      <source>Drop a PNG or SVG picture here, or choose one above. Transparent parts stay see-through.</source>
      <translation>Ziehen Sie ein PNG- oder SVG-Bild hierher oder wählen Sie oben eines. Durchsichtige Teile bleiben durchsichtig.</translation>
    </message>
    <message>
      <source>The picture and its anchors</source>
      <translation>Das Bild und seine Anker</translation>
    </message>
  </context>
  <context>
    <name>PlacingBar</name>
    <message>
      <source>Add an anchor</source>
      <translation>Anker hinzufügen</translation>
    </message>
    <message>
      <source>Anchors: {0}</source>
      <translation>Anker: {0}</translation>
    </message>
    <message>
      <source>Drag each number to the same spot on both sides: on the picture, and where that belongs on the face.</source>
      <translation>Ziehen Sie jede Nummer auf beiden Seiten an dieselbe Stelle: im Bild und dorthin, wo sie auf dem Gesicht hingehört.</translation>
    </message>
    <message>
      <source>Glasses</source>
      <translation>Brille</translation>
    </message>
    <message>
      <source>Hat</source>
      <translation>Hut</translation>
    </message>
    <message>
      <source>Moustache</source>
      <translation>Schnurrbart</translation>
    </message>
    <message>
      <source>Place it like</source>
      <translation>Platzieren wie</translation>
    </message>
    <message>
      <source>Place it like: {0}</source>
      <translation>Platzieren wie: {0}</translation>
    </message>
    <message>
      <source>Put the anchors where they belong for this kind of picture</source>
      <translation>Die Anker dorthin setzen, wo sie bei dieser Art Bild hingehören</translation>
    </message>
    <message>
      <source>Redo</source>
      <translation>Wiederholen</translation>
    </message>
    <message>
      <source>Redo {0}</source>
      <translation>Wiederholen: {0}</translation>
    </message>
    <message>
      <source>Remove the selected anchor</source>
      <translation>Gewählten Anker entfernen</translation>
    </message>
    <message>
      <source>Undo</source>
      <translation>Rückgängig</translation>
    </message>
    <message>
      <source>Undo {0}</source>
      <translation>Rückgängig: {0}</translation>
    </message>
    <message>
      <source>Whole face</source>
      <translation>Ganzes Gesicht</translation>
    </message>
  </context>
  <context>
    <name>PreferencesDialog</name>
    <message numerus="yes">
      <source>%n second(s)</source>
      <translation>
        <numerusform>%n Sekunde</numerusform>
        <numerusform>%n Sekunden</numerusform>
      </translation>
    </message>
    <message>
      <source>&amp;Let go of the camera while the window is minimised</source>
      <translation>Kamera &amp;freigeben, solange das Fenster minimiert ist</translation>
    </message>
    <message>
      <source>&amp;Mirror the picture</source>
      <translation>Bild &amp;spiegeln</translation>
    </message>
    <message>
      <source>&amp;Play videos again and again</source>
      <translation>&amp;Videos endlos abspielen</translation>
    </message>
    <message>
      <source>&amp;Start with the source that was used last</source>
      <translation>Mit der &amp;zuletzt benutzten Quelle starten</translation>
    </message>
    <message>
      <source>A new language is used from the next start on.</source>
      <translation>Eine neue Sprache gilt ab dem nächsten Start.</translation>
    </message>
    <message>
      <source>As the system says</source>
      <translation>Wie im System eingestellt</translation>
    </message>
    <message>
      <source>Capture</source>
      <translation>Aufnahme</translation>
    </message>
    <message>
      <source>Countdown</source>
      <translation>Selbstauslöser</translation>
    </message>
    <message>
      <source>Folder for pictures</source>
      <translation>Ordner für Bilder</translation>
    </message>
    <message>
      <source>Folder for videos</source>
      <translation>Ordner für Videos</translation>
    </message>
    <message>
      <source>Format</source>
      <translation>Format</translation>
    </message>
    <message>
      <source>General</source>
      <translation>Allgemein</translation>
    </message>
    <message>
      <source>High: as still as can be; quick motion lags a little</source>
      <translation>Hoch: so ruhig wie möglich; schnelle Bewegungen hinken etwas nach</translation>
    </message>
    <message>
      <source>JPEG: smaller files</source>
      <translation>JPEG: kleinere Dateien</translation>
    </message>
    <message>
      <source>Language</source>
      <translation>Sprache</translation>
    </message>
    <message>
      <source>Low: still on a still face, no lag on a moving one</source>
      <translation>Niedrig: ruhig bei ruhigem Gesicht, ohne Verzug bei bewegtem</translation>
    </message>
    <message>
      <source>Make all settings what they were at the first start?</source>
      <translation>Alle Einstellungen auf den Stand des ersten Starts bringen?</translation>
    </message>
    <message>
      <source>Network</source>
      <translation>Netz</translation>
    </message>
    <message>
      <source>None</source>
      <translation>Aus</translation>
    </message>
    <message>
      <source>Off: every measurement as it is</source>
      <translation>Aus: jede Messung, wie sie ist</translation>
    </message>
    <message>
      <source>PNG: every pixel as it is</source>
      <translation>PNG: jedes Pixel, wie es ist</translation>
    </message>
    <message>
      <source>Pages of the preferences</source>
      <translation>Seiten der Einstellungen</translation>
    </message>
    <message>
      <source>Picture</source>
      <translation>Bild</translation>
    </message>
    <message>
      <source>Pictures</source>
      <translation>Bilder</translation>
    </message>
    <message>
      <source>Preferences</source>
      <translation>Einstellungen</translation>
    </message>
    <message>
      <source>Reset</source>
      <translation>Zurücksetzen</translation>
    </message>
    <message>
      <source>Reset all settings</source>
      <translation>Alle Einstellungen zurücksetzen</translation>
    </message>
    <message>
      <source>Reset all…</source>
      <translation>Alle zurücksetzen…</translation>
    </message>
    <message>
      <source>Runs on</source>
      <translation>Läuft auf</translation>
    </message>
    <message>
      <source>Smoothing</source>
      <translation>Glättung</translation>
    </message>
    <message>
      <source>Videos</source>
      <translation>Videos</translation>
    </message>
    <message>
      <source>Which network finds the keypoints is chosen in the Network menu.</source>
      <translation>Welches Netz die Schlüsselpunkte findet, wird im Menü „Netz“ gewählt.</translation>
    </message>
    <message>
      <source>Your own overlays, pictures, videos and training runs are not touched.</source>
      <translation>Ihre eigenen Einblendungen, Bilder, Videos und Trainingsläufe bleiben unberührt.</translation>
    </message>
  </context>
  <context>
    <name>ProblemViewer</name>
    <message>
      <source>Close</source>
      <translation>Schließen</translation>
    </message>
    <message>
      <source>Open its folder</source>
      <translation>Ordner öffnen</translation>
    </message>
    <message>
      <source>Reading…</source>
      <translation>Wird gelesen…</translation>
    </message>
    <message>
      <source>This is about the labels, not about a single picture.</source>
      <translation>Hier geht es um die Annotationen, nicht um ein einzelnes Bild.</translation>
    </message>
  </context>
  <context>
    <name>ProblemsModel</name>
    <message>
      <source>What</source>
      <translation>Was</translation>
    </message>
    <message>
      <source>Where</source>
      <translation>Wo</translation>
    </message>
    <message>
      <source>good to know: {0}</source>
      <translation>gut zu wissen: {0}</translation>
    </message>
    <message>
      <source>problem: {0}</source>
      <translation>Problem: {0}</translation>
    </message>
  </context>
  <context>
    <name>ProblemsView</name>
    <message>
      <source>Copy</source>
      <translation>Kopieren</translation>
    </message>
    <message>
      <source>Open the picture</source>
      <translation>Bild öffnen</translation>
    </message>
    <message>
      <source>problems of the data set</source>
      <translation>Probleme des Datensatzes</translation>
    </message>
  </context>
  <context>
    <name>ProgressView</name>
    <message>
      <source>&amp;Cancel and delete</source>
      <translation>&amp;Abbrechen und löschen</translation>
    </message>
    <message>
      <source>&amp;Keep training</source>
      <translation>&amp;Weiter trainieren</translation>
    </message>
    <message>
      <source>&amp;Stop and keep</source>
      <translation>&amp;Beenden und behalten</translation>
    </message>
    <message>
      <source>Best NME</source>
      <translation>Bester NME</translation>
    </message>
    <message>
      <source>Best NME (epoch {0})</source>
      <translation>Bester NME (Epoche {0})</translation>
    </message>
    <message>
      <source>C&amp;ancel…</source>
      <translation>&amp;Abbrechen…</translation>
    </message>
    <message>
      <source>Cancel the run</source>
      <translation>Lauf abbrechen</translation>
    </message>
    <message>
      <source>Cancel the run?</source>
      <translation>Den Lauf abbrechen?</translation>
    </message>
    <message>
      <source>Elapsed</source>
      <translation>Vergangen</translation>
    </message>
    <message>
      <source>End &amp;now</source>
      <translation>Sofort &amp;beenden</translation>
    </message>
    <message>
      <source>End after the batch under way. The weights so far are kept, and the run can go on later.</source>
      <translation>Nach dem laufenden Batch beenden. Die bisherigen Gewichte bleiben erhalten, und der Lauf kann später weitergehen.</translation>
    </message>
    <message>
      <source>End the process at once, as it does not answer. What the last epoch learned is kept.</source>
      <translation>Den Prozess sofort beenden, da er nicht antwortet. Was die letzte Epoche gelernt hat, bleibt erhalten.</translation>
    </message>
    <message>
      <source>End the run and delete what it has written</source>
      <translation>Den Lauf beenden und löschen, was er geschrieben hat</translation>
    </message>
    <message>
      <source>Go on with the run from where it was stopped</source>
      <translation>Den Lauf dort fortsetzen, wo er beendet wurde</translation>
    </message>
    <message>
      <source>Images/s</source>
      <translation>Bilder/s</translation>
    </message>
    <message>
      <source>Loading the curves…</source>
      <translation>Die Kurven werden geladen…</translation>
    </message>
    <message>
      <source>Memory</source>
      <translation>Speicher</translation>
    </message>
    <message>
      <source>NME now</source>
      <translation>NME jetzt</translation>
    </message>
    <message>
      <source>R&amp;esume</source>
      <translation>&amp;Fortsetzen</translation>
    </message>
    <message>
      <source>Start a run, and its progress is shown here.</source>
      <translation>Starten Sie einen Lauf, dann steht hier sein Fortschritt.</translation>
    </message>
    <message>
      <source>There are no curves: {0}</source>
      <translation>Es gibt keine Kurven: {0}</translation>
    </message>
    <message>
      <source>Time left</source>
      <translation>Restzeit</translation>
    </message>
    <message>
      <source>What it has learned is deleted, also that of before it was resumed.</source>
      <translation>Was er gelernt hat, wird gelöscht, auch das von vor dem Fortsetzen.</translation>
    </message>
    <message>
      <source>What it has learned is deleted.</source>
      <translation>Was er gelernt hat, wird gelöscht.</translation>
    </message>
  </context>
  <context>
    <name>RecentMenu</name>
    <message>
      <source>&amp;Clear the list</source>
      <translation>Liste &amp;leeren</translation>
    </message>
    <message>
      <source>Ope&amp;n recent</source>
      <translation>Zu&amp;letzt geöffnet</translation>
    </message>
    <message>
      <source>{0} is not there any more</source>
      <translation>{0} ist nicht mehr da</translation>
    </message>
  </context>
  <context>
    <name>RecordingIndicator</name>
    <message numerus="yes">
      <source>%n frame(s) dropped</source>
      <translation>
        <numerusform>%n Bild verworfen</numerusform>
        <numerusform>%n Bilder verworfen</numerusform>
      </translation>
    </message>
    <message>
      <source>End the recording and keep it</source>
      <translation>Die Aufnahme beenden und behalten</translation>
    </message>
    <message>
      <source>Recording: {0}</source>
      <translation>Aufnahme: {0}</translation>
    </message>
  </context>
  <context>
    <name>RunHead</name>
    <message>
      <source>Progress of the run</source>
      <translation>Fortschritt des Laufs</translation>
    </message>
    <message>
      <source>{0} faces to train on, {1} to judge on</source>
      <translation>{0} Gesichter zum Trainieren, {1} zum Beurteilen</translation>
    </message>
  </context>
  <context>
    <name>RunsModel</name>
    <message>
      <source>After epoch {0}</source>
      <translation>Nach Epoche {0}</translation>
    </message>
    <message>
      <source>Best NME</source>
      <translation>Bester NME</translation>
    </message>
    <message>
      <source>Date</source>
      <translation>Datum</translation>
    </message>
    <message>
      <source>Epochs</source>
      <translation>Epochen</translation>
    </message>
    <message>
      <source>Failed</source>
      <translation>Fehlgeschlagen</translation>
    </message>
    <message>
      <source>Finished</source>
      <translation>Fertig</translation>
    </message>
    <message>
      <source>Length</source>
      <translation>Dauer</translation>
    </message>
    <message>
      <source>Name</source>
      <translation>Name</translation>
    </message>
    <message>
      <source>Network</source>
      <translation>Netz</translation>
    </message>
    <message>
      <source>Normalised mean error on people that the run kept aside: the lower, the better</source>
      <translation>Normalisierter mittlerer Fehler an Personen, die der Lauf zurückgehalten hat: je kleiner, desto besser</translation>
    </message>
    <message>
      <source>State</source>
      <translation>Stand</translation>
    </message>
    <message>
      <source>Stopped</source>
      <translation>Beendet</translation>
    </message>
    <message>
      <source>Training now</source>
      <translation>Im Training</translation>
    </message>
    <message>
      <source>{0} (in use)</source>
      <translation>{0} (in Gebrauch)</translation>
    </message>
    <message>
      <source>{0} of {1}</source>
      <translation>{0} von {1}</translation>
    </message>
  </context>
  <context>
    <name>RunsPage</name>
    <message>
      <source>Another run is training</source>
      <translation>Ein anderer Lauf trainiert</translation>
    </message>
    <message>
      <source>Compare with the network in use</source>
      <translation>Mit dem verwendeten Netz vergleichen</translation>
    </message>
    <message>
      <source>Compare with the shipped network</source>
      <translation>Mit dem mitgelieferten Netz vergleichen</translation>
    </message>
    <message>
      <source>Delete</source>
      <translation>Löschen</translation>
    </message>
    <message>
      <source>Delete a run</source>
      <translation>Lauf löschen</translation>
    </message>
    <message>
      <source>Delete the run {0}?</source>
      <translation>Den Lauf {0} löschen?</translation>
    </message>
    <message>
      <source>Delete…</source>
      <translation>Löschen…</translation>
    </message>
    <message>
      <source>Every run that you start is listed here, to be compared, used or resumed later.</source>
      <translation>Jeder Lauf, den Sie starten, steht dann hier, um ihn später zu vergleichen, zu verwenden oder fortzusetzen.</translation>
    </message>
    <message>
      <source>Fill the form of a new run with its settings</source>
      <translation>Das Formular eines neuen Laufs mit seinen Einstellungen füllen</translation>
    </message>
    <message>
      <source>It has all its epochs</source>
      <translation>Er hat alle seine Epochen</translation>
    </message>
    <message>
      <source>It has no weights yet</source>
      <translation>Er hat noch keine Gewichte</translation>
    </message>
    <message>
      <source>It is training</source>
      <translation>Er trainiert gerade</translation>
    </message>
    <message>
      <source>Its weights and figures are deleted from the disk for good.</source>
      <translation>Seine Gewichte und Kennzahlen werden endgültig vom Datenträger gelöscht.</translation>
    </message>
    <message>
      <source>Its weights, which the live session uses, and its figures are deleted from the disk for good.</source>
      <translation>Seine Gewichte, die die Live-Sitzung verwendet, und seine Kennzahlen werden endgültig vom Datenträger gelöscht.</translation>
    </message>
    <message>
      <source>Keep it</source>
      <translation>Behalten</translation>
    </message>
    <message>
      <source>New run like it</source>
      <translation>Neuer Lauf wie dieser</translation>
    </message>
    <message>
      <source>No program here opens folders; this one is {0}.</source>
      <translation>Kein Programm öffnet hier Ordner; dieser ist {0}.</translation>
    </message>
    <message>
      <source>No runs yet</source>
      <translation>Noch keine Läufe</translation>
    </message>
    <message>
      <source>Open folder</source>
      <translation>Ordner öffnen</translation>
    </message>
    <message>
      <source>Past runs</source>
      <translation>Frühere Läufe</translation>
    </message>
    <message>
      <source>Reading the list…</source>
      <translation>Die Liste wird gelesen…</translation>
    </message>
    <message>
      <source>Resume</source>
      <translation>Fortsetzen</translation>
    </message>
    <message>
      <source>Save weights as…</source>
      <translation>Gewichte speichern unter…</translation>
    </message>
    <message>
      <source>Saved as {0}</source>
      <translation>Gespeichert als {0}</translation>
    </message>
    <message>
      <source>Stop it first</source>
      <translation>Beenden Sie ihn zuerst</translation>
    </message>
    <message>
      <source>They are in use</source>
      <translation>Sie sind in Gebrauch</translation>
    </message>
    <message>
      <source>Use its weights</source>
      <translation>Gewichte verwenden</translation>
    </message>
  </context>
  <context>
    <name>SessionBar</name>
    <message numerus="yes">
      <source>%n face(s)</source>
      <translation>
        <numerusform>%n Gesicht</numerusform>
        <numerusform>%n Gesichter</numerusform>
      </translation>
    </message>
    <message>
      <source>Faces in the picture</source>
      <translation>Gesichter im Bild</translation>
    </message>
    <message>
      <source>Frames painted a second</source>
      <translation>Angezeigte Bilder je Sekunde</translation>
    </message>
    <message>
      <source>Frames that came and were not painted: damaged, or a newer one was there</source>
      <translation>Bilder, die kamen und nicht gezeichnet wurden: beschädigt, oder ein neueres war schon da</translation>
    </message>
    <message>
      <source>From capture to paint: median and 95th percentile</source>
      <translation>Von der Aufnahme bis zur Anzeige: Median und 95. Perzentil</translation>
    </message>
    <message>
      <source>The network, and where it runs</source>
      <translation>Das Netz und worauf es läuft</translation>
    </message>
    <message>
      <source>What was agreed on with the camera</source>
      <translation>Was mit der Kamera vereinbart wurde</translation>
    </message>
    <message>
      <source>camera mode</source>
      <translation>Kameramodus</translation>
    </message>
    <message>
      <source>drops</source>
      <translation>Verworfene</translation>
    </message>
    <message>
      <source>faces</source>
      <translation>Gesichter</translation>
    </message>
    <message>
      <source>frame rate</source>
      <translation>Bildrate</translation>
    </message>
    <message>
      <source>latency</source>
      <translation>Latenz</translation>
    </message>
    <message>
      <source>network</source>
      <translation>Netz</translation>
    </message>
    <message>
      <source>source</source>
      <translation>Quelle</translation>
    </message>
    <message>
      <source>{0} dropped</source>
      <translation>{0} verworfen</translation>
    </message>
    <message>
      <source>{0} frames/s</source>
      <translation>{0} Bilder/s</translation>
    </message>
    <message>
      <source>{0} ms (p95 {1} ms)</source>
      <translation>{0} ms (p95 {1} ms)</translation>
    </message>
  </context>
  <context>
    <name>SessionPane</name>
    <message>
      <source>As soon as it is free, the picture comes by itself.</source>
      <translation>Sobald die Quelle frei ist, kommt das Bild von selbst.</translation>
    </message>
    <message>
      <source>As soon as it is there, the picture comes by itself.</source>
      <translation>Sobald die Quelle da ist, kommt das Bild von selbst.</translation>
    </message>
    <message>
      <source>Camera {0}</source>
      <translation>Kamera {0}</translation>
    </message>
    <message>
      <source>Demo clip</source>
      <translation>Demo-Clip</translation>
    </message>
    <message>
      <source>No camera found</source>
      <translation>Keine Kamera gefunden</translation>
    </message>
    <message>
      <source>No camera or file is in use.</source>
      <translation>Keine Kamera oder Datei ist in Gebrauch.</translation>
    </message>
    <message>
      <source>No permission to use {0}</source>
      <translation>Keine Berechtigung für {0}</translation>
    </message>
    <message>
      <source>No picture</source>
      <translation>Kein Bild</translation>
    </message>
    <message>
      <source>Once it is back, the picture goes on by itself.</source>
      <translation>Sobald die Quelle wieder da ist, geht das Bild von selbst weiter.</translation>
    </message>
    <message>
      <source>Opening {0}…</source>
      <translation>{0} wird geöffnet…</translation>
    </message>
    <message>
      <source>Plug one in, and its picture comes by itself.</source>
      <translation>Schließen Sie eine an, dann kommt ihr Bild von selbst.</translation>
    </message>
    <message>
      <source>Stopped</source>
      <translation>Gestoppt</translation>
    </message>
    <message>
      <source>The camera</source>
      <translation>Die Kamera</translation>
    </message>
    <message>
      <source>The stream</source>
      <translation>Der Stream</translation>
    </message>
    <message>
      <source>Waiting for {0}</source>
      <translation>Warten auf {0}</translation>
    </message>
    <message>
      <source>{0} is in use elsewhere</source>
      <translation>{0} ist anderweitig in Gebrauch</translation>
    </message>
    <message>
      <source>{0} is not there</source>
      <translation>{0} ist nicht da</translation>
    </message>
  </context>
  <context>
    <name>SheetPicture</name>
    <message>
      <source>Show it in full size</source>
      <translation>In voller Größe zeigen</translation>
    </message>
  </context>
  <context>
    <name>SheetView</name>
    <message>
      <source>After the first epoch, faces of people that the network is not trained on appear here: their true keypoints, and where the network sees them.</source>
      <translation>Nach der ersten Epoche erscheinen hier Gesichter von Personen, mit denen das Netz nicht trainiert wird: ihre wahren Schlüsselpunkte und wo das Netz sie sieht.</translation>
    </message>
    <message>
      <source>The picture of epoch {0} is not there any more.</source>
      <translation>Das Bild der Epoche {0} ist nicht mehr da.</translation>
    </message>
    <message>
      <source>Validation faces</source>
      <translation>Validierungsgesichter</translation>
    </message>
    <message>
      <source>Validation faces after epoch {0}</source>
      <translation>Validierungsgesichter nach Epoche {0}</translation>
    </message>
  </context>
  <context>
    <name>ShortcutsDialog</name>
    <message>
      <source>Keyboard shortcuts</source>
      <translation>Tastenkürzel</translation>
    </message>
    <message>
      <source>More</source>
      <translation>Weitere</translation>
    </message>
  </context>
  <context>
    <name>SourceBar</name>
    <message>
      <source>&amp;Image…</source>
      <translation>&amp;Bild…</translation>
    </message>
    <message>
      <source>&amp;Live picture</source>
      <translation>&amp;Live-Bild</translation>
    </message>
    <message>
      <source>&amp;Pause</source>
      <translation>&amp;Pause</translation>
    </message>
    <message>
      <source>Face</source>
      <translation>Gesicht</translation>
    </message>
    <message>
      <source>Face {0} of {1}</source>
      <translation>Gesicht {0} von {1}</translation>
    </message>
    <message>
      <source>Hold the live picture here; the main window goes on</source>
      <translation>Das Live-Bild hier anhalten; das Hauptfenster läuft weiter</translation>
    </message>
    <message>
      <source>Look at a picture from a file; it can be dropped here too</source>
      <translation>Ein Bild aus einer Datei ansehen; es lässt sich auch hierher ziehen</translation>
    </message>
    <message>
      <source>Look at what the main window shows</source>
      <translation>Ansehen, was das Hauptfenster zeigt</translation>
    </message>
    <message>
      <source>No face found: this is the middle of the picture</source>
      <translation>Kein Gesicht gefunden: Dies ist die Mitte des Bildes</translation>
    </message>
    <message>
      <source>No new picture</source>
      <translation>Kein neues Bild</translation>
    </message>
    <message>
      <source>Paused</source>
      <translation>Angehalten</translation>
    </message>
    <message>
      <source>Pictures a second</source>
      <translation>Bilder je Sekunde</translation>
    </message>
    <message>
      <source>Which of the faces the network is given</source>
      <translation>Welches der Gesichter das Netz bekommt</translation>
    </message>
    <message>
      <source>{0} a second</source>
      <translation>{0} je Sekunde</translation>
    </message>
  </context>
  <context>
    <name>SourceOpener</name>
    <message>
      <source>All files</source>
      <translation>Alle Dateien</translation>
    </message>
    <message>
      <source>C&amp;hoose a camera</source>
      <translation>Kamera wähle&amp;n</translation>
    </message>
    <message>
      <source>Open a folder of pictures</source>
      <translation>Ordner mit Bildern öffnen</translation>
    </message>
    <message>
      <source>Open video or image</source>
      <translation>Video oder Bild öffnen</translation>
    </message>
    <message>
      <source>Videos and images</source>
      <translation>Videos und Bilder</translation>
    </message>
  </context>
  <context>
    <name>StartEditor</name>
    <message>
      <source>Choose the weights to start from</source>
      <translation>Gewichte wählen, von denen das Training ausgeht</translation>
    </message>
    <message>
      <source>File {0}</source>
      <translation>Datei {0}</translation>
    </message>
    <message>
      <source>Scratch</source>
      <translation>Von Grund auf</translation>
    </message>
    <message>
      <source>Shipped weights</source>
      <translation>Mitgelieferte Gewichte</translation>
    </message>
    <message>
      <source>Weights file…</source>
      <translation>Gewichtsdatei…</translation>
    </message>
    <message>
      <source>{0} ({1})</source>
      <translation>{0} ({1})</translation>
    </message>
    <message>
      <source>{0} ({1}, NME {2})</source>
      <translation>{0} ({1}, NME {2})</translation>
    </message>
  </context>
  <context>
    <name>StatusLine</name>
    <message>
      <source>Progress</source>
      <translation>Fortschritt</translation>
    </message>
    <message>
      <source>S&amp;top</source>
      <translation>St&amp;opp</translation>
    </message>
    <message>
      <source>Stop judging; what has been judged stays</source>
      <translation>Beurteilung stoppen; was beurteilt ist, bleibt</translation>
    </message>
    <message>
      <source>no problems</source>
      <translation>keine Probleme</translation>
    </message>
    <message>
      <source>the first {0} faces</source>
      <translation>die ersten {0} Gesichter</translation>
    </message>
    <message>
      <source>{0} cannot be used</source>
      <translation>{0} unbrauchbar</translation>
    </message>
    <message>
      <source>{0} faces</source>
      <translation>{0} Gesichter</translation>
    </message>
    <message>
      <source>{0} of {1} faces</source>
      <translation>{0} von {1} Gesichtern</translation>
    </message>
    <message>
      <source>{0} with a warning</source>
      <translation>{0} mit Warnung</translation>
    </message>
  </context>
  <context>
    <name>TextEditor</name>
    <message>
      <source>Choose…</source>
      <translation>Wählen…</translation>
    </message>
    <message>
      <source>None</source>
      <translation>Keine</translation>
    </message>
  </context>
  <context>
    <name>ThumbnailGrid</name>
    <message>
      <source>Faces of the data set</source>
      <translation>Gesichter des Datensatzes</translation>
    </message>
  </context>
  <context>
    <name>ThumbnailStrip</name>
    <message>
      <source>{0} faces of the data set with their keypoints</source>
      <translation>{0} Gesichter des Datensatzes mit ihren Schlüsselpunkten</translation>
    </message>
  </context>
  <context>
    <name>TileMenu</name>
    <message>
      <source>Delete…</source>
      <translation>Löschen…</translation>
    </message>
    <message>
      <source>Edit…</source>
      <translation>Bearbeiten…</translation>
    </message>
    <message>
      <source>It is more than one picture; change the files in its folder</source>
      <translation>Sie besteht aus mehreren Bildern; ändern Sie die Dateien in ihrem Ordner</translation>
    </message>
    <message>
      <source>None</source>
      <translation>Keine</translation>
    </message>
    <message>
      <source>Number key</source>
      <translation>Zifferntaste</translation>
    </message>
    <message>
      <source>On the picture</source>
      <translation>Im Bild</translation>
    </message>
    <message>
      <source>Open folder</source>
      <translation>Ordner öffnen</translation>
    </message>
    <message>
      <source>Rename…</source>
      <translation>Umbenennen…</translation>
    </message>
    <message>
      <source>{0} (now {1})</source>
      <translation>{0} (jetzt {1})</translation>
    </message>
  </context>
  <context>
    <name>Toast</name>
    <message>
      <source>Close</source>
      <translation>Schließen</translation>
    </message>
    <message>
      <source>Copy</source>
      <translation>Kopieren</translation>
    </message>
    <message>
      <source>Open</source>
      <translation>Öffnen</translation>
    </message>
    <message>
      <source>Show in folder</source>
      <translation>Im Ordner zeigen</translation>
    </message>
  </context>
  <context>
    <name>TrainerWindow</name>
    <message>
      <source>&amp;Comparison</source>
      <translation>&amp;Vergleich</translation>
    </message>
    <message>
      <source>&amp;New run</source>
      <translation>&amp;Neuer Lauf</translation>
    </message>
    <message>
      <source>&amp;Progress</source>
      <translation>Fort&amp;schritt</translation>
    </message>
    <message>
      <source>FKD Desktop ends with this window. Stop the run and keep what it learned?</source>
      <translation>FKD Desktop endet mit diesem Fenster. Den Lauf beenden und behalten, was er gelernt hat?</translation>
    </message>
    <message>
      <source>It can go on without this window: the status bar of the main window shows how far it is.</source>
      <translation>Es kann ohne dieses Fenster weitergehen: Die Statusleiste des Hauptfensters zeigt, wie weit es ist.</translation>
    </message>
    <message>
      <source>Keep training</source>
      <translation>Weiter trainieren</translation>
    </message>
    <message>
      <source>Past &amp;runs</source>
      <translation>Frühere &amp;Läufe</translation>
    </message>
    <message>
      <source>Show the live picture</source>
      <translation>Live-Bild zeigen</translation>
    </message>
    <message>
      <source>Stay</source>
      <translation>Hierbleiben</translation>
    </message>
    <message>
      <source>Stop and keep</source>
      <translation>Beenden und behalten</translation>
    </message>
    <message>
      <source>Trainer</source>
      <translation>Trainer</translation>
    </message>
    <message>
      <source>Training is under way</source>
      <translation>Training läuft</translation>
    </message>
    <message>
      <source>Training is under way.</source>
      <translation>Ein Training läuft.</translation>
    </message>
  </context>
  <context>
    <name>TrainingIndicator</name>
    <message>
      <source>NME {0}</source>
      <translation>NME {0}</translation>
    </message>
    <message>
      <source>Open the trainer</source>
      <translation>Trainer öffnen</translation>
    </message>
    <message>
      <source>Training</source>
      <translation>Training</translation>
    </message>
    <message>
      <source>Training failed</source>
      <translation>Training fehlgeschlagen</translation>
    </message>
    <message>
      <source>Training is cancelled</source>
      <translation>Training ist abgebrochen</translation>
    </message>
    <message>
      <source>Training is done</source>
      <translation>Training ist fertig</translation>
    </message>
    <message>
      <source>Training starts</source>
      <translation>Training beginnt</translation>
    </message>
    <message>
      <source>Training stopped</source>
      <translation>Training beendet</translation>
    </message>
    <message>
      <source>Training stops</source>
      <translation>Training wird beendet</translation>
    </message>
    <message>
      <source>training</source>
      <translation>Training</translation>
    </message>
    <message>
      <source>training progress</source>
      <translation>Trainingsfortschritt</translation>
    </message>
  </context>
  <context>
    <name>TransportBar</name>
    <message>
      <source>5 seconds back</source>
      <translation>5 Sekunden zurück</translation>
    </message>
    <message>
      <source>5 seconds on</source>
      <translation>5 Sekunden vor</translation>
    </message>
    <message>
      <source>File</source>
      <translation>Datei</translation>
    </message>
    <message>
      <source>First picture</source>
      <translation>Erstes Bild</translation>
    </message>
    <message>
      <source>How fast the video is played ([ and ])</source>
      <translation>Wie schnell das Video läuft ([ und ])</translation>
    </message>
    <message>
      <source>Last picture</source>
      <translation>Letztes Bild</translation>
    </message>
    <message>
      <source>Length</source>
      <translation>Länge</translation>
    </message>
    <message>
      <source>Next picture</source>
      <translation>Nächstes Bild</translation>
    </message>
    <message>
      <source>Number of the picture</source>
      <translation>Nummer des Bildes</translation>
    </message>
    <message>
      <source>One frame back</source>
      <translation>Ein Bild zurück</translation>
    </message>
    <message>
      <source>One frame on</source>
      <translation>Ein Bild vor</translation>
    </message>
    <message>
      <source>Pause</source>
      <translation>Pause</translation>
    </message>
    <message>
      <source>Place in the video</source>
      <translation>Stelle im Video</translation>
    </message>
    <message>
      <source>Play</source>
      <translation>Abspielen</translation>
    </message>
    <message>
      <source>Play again and again</source>
      <translation>Endlos abspielen</translation>
    </message>
    <message>
      <source>Play faster</source>
      <translation>Schneller abspielen</translation>
    </message>
    <message>
      <source>Play slower</source>
      <translation>Langsamer abspielen</translation>
    </message>
    <message>
      <source>Playback</source>
      <translation>Wiedergabe</translation>
    </message>
    <message>
      <source>Previous picture</source>
      <translation>Voriges Bild</translation>
    </message>
    <message>
      <source>Speed</source>
      <translation>Geschwindigkeit</translation>
    </message>
    <message>
      <source>Time</source>
      <translation>Zeit</translation>
    </message>
    <message>
      <source>To the end</source>
      <translation>Zum Ende</translation>
    </message>
    <message>
      <source>To the start</source>
      <translation>Zum Anfang</translation>
    </message>
    <message>
      <source>{0} of {1}</source>
      <translation>{0} von {1}</translation>
    </message>
  </context>
  <context>
    <name>UpdateDesk</name>
    <message>
      <source>FKD Desktop was updated. What it newly needs is being installed; this may take minutes.</source>
      <translation>FKD Desktop wurde aktualisiert. Was es neu braucht, wird gerade installiert; das kann Minuten dauern.</translation>
    </message>
  </context>
  <context>
    <name>UrlDialog</name>
    <message>
      <source>&amp;Address of the network camera or stream:</source>
      <translation>&amp;Adresse der Netzwerkkamera oder des Streams:</translation>
    </message>
    <message>
      <source>Address of the network camera or stream</source>
      <translation>Adresse der Netzwerkkamera oder des Streams</translation>
    </message>
    <message>
      <source>Only this address is asked for pictures; nothing is sent anywhere else. A user name and password can be part of it: rtsp://user:password@host/path.</source>
      <translation>Nur von dieser Adresse werden Bilder abgerufen; sonst wird nichts gesendet. Benutzername und Passwort können darin stehen: rtsp://benutzer:passwort@host/pfad.</translation>
    </message>
    <message>
      <source>Open stream</source>
      <translation>Stream öffnen</translation>
    </message>
    <message>
      <source>What is wrong with the address</source>
      <translation>Was an der Adresse nicht stimmt</translation>
    </message>
  </context>
  <context>
    <name>VariantSheet</name>
    <message>
      <source>Variants of the face</source>
      <translation>Varianten des Gesichts</translation>
    </message>
    <message>
      <source>What the network learns is no well-placed face:</source>
      <translation>Was das Netz daraus lernt, ist kein gut platziertes Gesicht:</translation>
    </message>
  </context>
  <context>
    <name>VideoView</name>
    <message>
      <source>Actual size</source>
      <translation>Originalgröße</translation>
    </message>
    <message>
      <source>Live picture</source>
      <translation>Live-Bild</translation>
    </message>
    <message>
      <source>Whole picture</source>
      <translation>Ganzes Bild</translation>
    </message>
    <message>
      <source>Zoom in</source>
      <translation>Vergrößern</translation>
    </message>
    <message>
      <source>Zoom out</source>
      <translation>Verkleinern</translation>
    </message>
  </context>
  <context>
    <name>VirtualCameraDialog</name>
    <message>
      <source>&amp;Start</source>
      <translation>&amp;Starten</translation>
    </message>
    <message>
      <source>&amp;Stop</source>
      <translation>&amp;Stoppen</translation>
    </message>
    <message>
      <source>Be allowed to use cameras; log in again afterwards:</source>
      <translation>Erlauben Sie Ihrem Konto den Zugriff auf Kameras; melden Sie sich danach neu an:</translation>
    </message>
    <message>
      <source>Browsers and call programs list the new camera after they were started again.</source>
      <translation>Browser und Anrufprogramme führen die neue Kamera auf, nachdem sie neu gestartet wurden.</translation>
    </message>
    <message>
      <source>Check &amp;again</source>
      <translation>&amp;Erneut prüfen</translation>
    </message>
    <message>
      <source>Copy</source>
      <translation>Kopieren</translation>
    </message>
    <message>
      <source>Copy the command</source>
      <translation>Den Befehl kopieren</translation>
    </message>
    <message>
      <source>Install OBS Studio 26 or newer from obsproject.com. It brings the virtual camera.</source>
      <translation>Installieren Sie OBS Studio 26 oder neuer von obsproject.com. Es bringt die virtuelle Kamera mit.</translation>
    </message>
    <message>
      <source>Install OBS Studio from obsproject.com into Applications: version 30 or newer, or 28 on macOS 12.</source>
      <translation>Installieren Sie OBS Studio von obsproject.com in den Ordner „Programme“: Version 30 oder neuer, unter macOS 12 Version 28.</translation>
    </message>
    <message>
      <source>Install the driver v4l2loopback. On Debian and Ubuntu:</source>
      <translation>Installieren Sie den Treiber v4l2loopback. Unter Debian und Ubuntu:</translation>
    </message>
    <message>
      <source>Install the package pyvirtualcam. Its licence is the GPL, so it does not come with FKD Desktop:</source>
      <translation>Installieren Sie das Paket pyvirtualcam. Es steht unter der GPL und liegt FKD Desktop deshalb nicht bei:</translation>
    </message>
    <message>
      <source>Load it, after each start of the computer:</source>
      <translation>Laden Sie ihn nach jedem Start des Computers:</translation>
    </message>
    <message>
      <source>Missing</source>
      <translation>Fehlt</translation>
    </message>
    <message>
      <source>Off.</source>
      <translation>Aus.</translation>
    </message>
    <message>
      <source>Off. Something that it needs is missing, see below.</source>
      <translation>Aus. Etwas, das sie braucht, fehlt; siehe unten.</translation>
    </message>
    <message>
      <source>On. Choose the camera “{0}” in the other program.</source>
      <translation>An. Wählen Sie im anderen Programm die Kamera „{0}“.</translation>
    </message>
    <message>
      <source>Only one program at a time can feed this camera: stop it in OBS first. Call programs list it after they were started again.</source>
      <translation>Nur ein Programm zugleich kann diese Kamera speisen: Stoppen Sie sie in OBS zuerst. Anrufprogramme führen sie auf, nachdem sie neu gestartet wurden.</translation>
    </message>
    <message>
      <source>Open OBS and click “Start Virtual Camera”. Allow its camera extension in the System Settings when macOS asks. Then click “Stop Virtual Camera” and quit OBS.</source>
      <translation>Öffnen Sie OBS und klicken Sie auf „Virtuelle Kamera starten“. Erlauben Sie die Kamera-Erweiterung in den Systemeinstellungen, wenn macOS danach fragt. Klicken Sie dann auf „Virtuelle Kamera stoppen“ und beenden Sie OBS.</translation>
    </message>
    <message>
      <source>Opening…</source>
      <translation>Wird geöffnet…</translation>
    </message>
    <message>
      <source>Other programs see a virtual camera like any other: a video call then shows your picture with its overlays. FKD Desktop itself sends nothing anywhere.</source>
      <translation>Andere Programme sehen eine virtuelle Kamera wie jede andere: Ein Videoanruf zeigt dann Ihr Bild mit seinen Einblendungen. FKD Desktop selbst sendet keine Daten.</translation>
    </message>
    <message>
      <source>Si&amp;ze:</source>
      <translation>&amp;Größe:</translation>
    </message>
    <message>
      <source>The picture is fitted into it, with black bars where it needs them</source>
      <translation>Das Bild wird eingepasst, wo nötig mit schwarzen Balken</translation>
    </message>
    <message>
      <source>Virtual camera</source>
      <translation>Virtuelle Kamera</translation>
    </message>
    <message>
      <source>What it needs, once</source>
      <translation>Was sie einmalig braucht</translation>
    </message>
    <message>
      <source>command for a terminal</source>
      <translation>Befehl für ein Terminal</translation>
    </message>
    <message>
      <source>size of the picture</source>
      <translation>Größe des Bildes</translation>
    </message>
    <message>
      <source>state of the virtual camera</source>
      <translation>Zustand der virtuellen Kamera</translation>
    </message>
    <message>
      <source>step {0}</source>
      <translation>Schritt {0}</translation>
    </message>
    <message>
      <source>✓ Ready</source>
      <translation>✓ Bereit</translation>
    </message>
  </context>
  <context>
    <name>WelcomePanel</name>
    <message>
      <source>&amp;Camera</source>
      <translation>&amp;Kamera</translation>
    </message>
    <message>
      <source>Back</source>
      <translation>Zurück</translation>
    </message>
    <message>
      <source>Camera and privacy</source>
      <translation>Kamera und Privatsphäre</translation>
    </message>
    <message>
      <source>Choose a camera</source>
      <translation>Kamera wählen</translation>
    </message>
    <message>
      <source>Demo clip</source>
      <translation>Democlip</translation>
    </message>
    <message>
      <source>Done</source>
      <translation>Fertig</translation>
    </message>
    <message>
      <source>Next</source>
      <translation>Weiter</translation>
    </message>
    <message>
      <source>No camera found: plug one in</source>
      <translation>Keine Kamera gefunden: bitte anschließen</translation>
    </message>
    <message>
      <source>Open the trainer</source>
      <translation>Trainer öffnen</translation>
    </message>
    <message>
      <source>Overlays</source>
      <translation>Einblendungen</translation>
    </message>
    <message>
      <source>Put something on: click, and look at the picture. The keys 1 to 9 do the same; the gallery has all overlays, and makes new ones of pictures of your own.</source>
      <translation>Setzen Sie etwas auf: klicken und ins Bild schauen. Die Tasten 1 bis 9 tun dasselbe; die Galerie hat alle Einblendungen und macht neue aus eigenen Bildern.</translation>
    </message>
    <message>
      <source>Put this away for good (Esc); it is in the Help menu</source>
      <translation>Für immer wegräumen (Esc); es steht im Menü Hilfe</translation>
    </message>
    <message>
      <source>Read how it works</source>
      <translation>Nachlesen, wie es geht (englisch)</translation>
    </message>
    <message>
      <source>Skip</source>
      <translation>Überspringen</translation>
    </message>
    <message>
      <source>The network that finds the keypoints can learn from pictures of your own, while the live picture goes on. Then old and new are compared on the same people, and you choose.</source>
      <translation>Das Netz, das die Schlüsselpunkte findet, kann aus eigenen Bildern lernen, während das Livebild weiterläuft. Danach werden alt und neu an denselben Personen verglichen, und Sie wählen.</translation>
    </message>
    <message>
      <source>The picture stays on this computer: nothing is sent anywhere, and nothing is kept unless you keep it. “Stop” lets go of the camera.</source>
      <translation>Das Bild bleibt auf diesem Computer: Nichts wird gesendet, und nichts wird aufbewahrt, wenn Sie es nicht behalten. „Stopp“ gibt die Kamera frei.</translation>
    </message>
    <message>
      <source>Training, when you want it</source>
      <translation>Training, wenn Sie möchten</translation>
    </message>
    <message>
      <source>Welcome</source>
      <translation>Willkommen</translation>
    </message>
    <message>
      <source>{0} of {1}</source>
      <translation>{0} von {1}</translation>
    </message>
  </context>
  <context>
    <name>Workshop</name>
    <message>
      <source>Keep training</source>
      <translation>Weiter trainieren</translation>
    </message>
    <message>
      <source>Keep training: the camera is let go, and the trainer stays open until the run has ended.
Stop and keep: the run ends now, with what it has learned; it can be resumed later.</source>
      <translation>Weiter trainieren: Die Kamera wird freigegeben, und der Trainer bleibt offen, bis der Lauf zu Ende ist.
Beenden und behalten: Der Lauf endet jetzt mit dem, was er gelernt hat; er lässt sich später fortsetzen.</translation>
    </message>
    <message>
      <source>Stay</source>
      <translation>Hierbleiben</translation>
    </message>
    <message>
      <source>Stop and keep</source>
      <translation>Beenden und behalten</translation>
    </message>
    <message>
      <source>The shipped network is in use instead.</source>
      <translation>Stattdessen wird das mitgelieferte Netz verwendet.</translation>
    </message>
    <message>
      <source>Training failed</source>
      <translation>Training fehlgeschlagen</translation>
    </message>
    <message>
      <source>Training is done</source>
      <translation>Training ist fertig</translation>
    </message>
    <message>
      <source>Training is under way</source>
      <translation>Training läuft</translation>
    </message>
    <message>
      <source>Training is under way.</source>
      <translation>Ein Training läuft.</translation>
    </message>
    <message>
      <source>{0}: best NME {1} in epoch {2}</source>
      <translation>{0}: bester NME {1} in Epoche {2}</translation>
    </message>
  </context>
  <context>
    <name>_Picture</name>
    <message>
      <source>Show it in full size</source>
      <translation>In voller Größe zeigen</translation>
    </message>
    <message>
      <source>Validation faces with true and predicted keypoints</source>
      <translation>Validierungsgesichter mit wahren und vorhergesagten Schlüsselpunkten</translation>
    </message>
    <message>
      <source>picture, {0} by {1} pixels</source>
      <translation>Bild, {0} mal {1} Pixel</translation>
    </message>
  </context>
  <context>
    <name>errors</name>
    <message numerus="yes">
      <source>%n column(s) instead of {expected}</source>
      <translation>
        <numerusform>%n Spalte statt {expected}</numerusform>
        <numerusform>%n Spalten statt {expected}</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n day(s)</source>
      <translation>
        <numerusform>%n Tag</numerusform>
        <numerusform>%n Tage</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n day(s) {hours} h</source>
      <translation>
        <numerusform>%n Tag {hours} h</numerusform>
        <numerusform>%n Tage {hours} h</numerusform>
      </translation>
    </message>
    <message numerus="yes">
      <source>%n keypoint(s) instead of {expected}</source>
      <translation>
        <numerusform>%n Schlüsselpunkt statt {expected}</numerusform>
        <numerusform>%n Schlüsselpunkte statt {expected}</numerusform>
      </translation>
    </message>
    <message>
      <source>0 leaves the labels as they are, so the teacher has no effect</source>
      <translation>0 lässt die Annotationen, wie sie sind; der Lehrer bleibt ohne Wirkung</translation>
    </message>
    <message>
      <source>1 replaces the labels by what the teacher sees</source>
      <translation>1 ersetzt die Annotationen durch das, was der Lehrer sieht</translation>
    </message>
    <message>
      <source>1.5 ms a face on one processor core</source>
      <translation>1,5 ms je Gesicht auf einem Prozessorkern</translation>
    </message>
    <message>
      <source>143 ms a face on one processor core; the published larger network</source>
      <translation>143 ms je Gesicht auf einem Prozessorkern; das veröffentlichte größere Netz</translation>
    </message>
    <message>
      <source>2.5 ms a face on one processor core</source>
      <translation>2,5 ms je Gesicht auf einem Prozessorkern</translation>
    </message>
    <message>
      <source>33 ms a face on one processor core; the published first try</source>
      <translation>33 ms je Gesicht auf einem Prozessorkern; der veröffentlichte erste Versuch</translation>
    </message>
    <message>
      <source>Augmentation</source>
      <translation>Augmentierung</translation>
    </message>
    <message>
      <source>Automatic</source>
      <translation>Automatisch</translation>
    </message>
    <message>
      <source>Automatic (bfloat16 on CUDA)</source>
      <translation>Automatisch (bfloat16 mit CUDA)</translation>
    </message>
    <message>
      <source>Batch size</source>
      <translation>Batchgröße</translation>
    </message>
    <message>
      <source>Calm share</source>
      <translation>Ruhiger Anteil</translation>
    </message>
    <message>
      <source>Cancelled. Nothing was kept.</source>
      <translation>Abgebrochen. Nichts wurde behalten.</translation>
    </message>
    <message>
      <source>Cancelling…</source>
      <translation>Wird abgebrochen…</translation>
    </message>
    <message>
      <source>Choose the teacher's weights</source>
      <translation>Gewichte des Lehrers wählen</translation>
    </message>
    <message>
      <source>Constant</source>
      <translation>Konstant</translation>
    </message>
    <message>
      <source>Correct published labels</source>
      <translation>Veröffentlichte Annotationen berichtigen</translation>
    </message>
    <message>
      <source>Data set</source>
      <translation>Datensatz</translation>
    </message>
    <message>
      <source>Device</source>
      <translation>Gerät</translation>
    </message>
    <message>
      <source>Done in {duration}: {best}.</source>
      <translation>Fertig nach {duration}: {best}.</translation>
    </message>
    <message>
      <source>Done.</source>
      <translation>Fertig.</translation>
    </message>
    <message>
      <source>Epoch {epoch} of {epochs}</source>
      <translation>Epoche {epoch} von {epochs}</translation>
    </message>
    <message>
      <source>Epoch {epoch} of {epochs}, batch {batch} of {batches}</source>
      <translation>Epoche {epoch} von {epochs}, Batch {batch} von {batches}</translation>
    </message>
    <message>
      <source>Epochs</source>
      <translation>Epochen</translation>
    </message>
    <message>
      <source>Euclidean distance</source>
      <translation>Euklidischer Abstand</translation>
    </message>
    <message>
      <source>FKD Desktop cannot start, as the Python package {package} is missing; start it once with start.py, or install it again with pip, in a terminal</source>
      <translation>FKD Desktop kann nicht starten, weil das Python-Paket {package} fehlt; starten Sie es einmal mit start.py, oder installieren Sie es erneut mit pip, in einem Terminal</translation>
    </message>
    <message>
      <source>FKD Desktop is among your applications now ({path}).</source>
      <translation>FKD Desktop ist jetzt bei Ihren Programmen ({path}).</translation>
    </message>
    <message>
      <source>FKD Desktop is in the start menu already, and all is as it should be.</source>
      <translation>FKD Desktop ist schon im Startmenü, und alles ist, wie es sein soll.</translation>
    </message>
    <message>
      <source>FKD Desktop is in the start menu now ({path}).</source>
      <translation>FKD Desktop ist jetzt im Startmenü ({path}).</translation>
    </message>
    <message>
      <source>FKD Desktop is no longer among your applications.</source>
      <translation>FKD Desktop ist nicht mehr bei Ihren Programmen.</translation>
    </message>
    <message>
      <source>FKD Desktop is no longer in the start menu.</source>
      <translation>FKD Desktop ist nicht mehr im Startmenü.</translation>
    </message>
    <message>
      <source>FKD Desktop is running already but does not answer, so this is another window; close the other one if it is stuck</source>
      <translation>FKD Desktop läuft schon, antwortet aber nicht; dies ist ein weiteres Fenster, schließen Sie das andere, wenn es hängt</translation>
    </message>
    <message>
      <source>FKD Desktop was not in the start menu; nothing was removed.</source>
      <translation>FKD Desktop war nicht im Startmenü; nichts wurde entfernt.</translation>
    </message>
    <message>
      <source>Full (place, angle, light, hidden parts)</source>
      <translation>Voll (Lage, Winkel, Licht, verdeckte Teile)</translation>
    </message>
    <message>
      <source>GPU (Apple, MPS)</source>
      <translation>GPU (Apple, MPS)</translation>
    </message>
    <message>
      <source>GPU (CUDA)</source>
      <translation>GPU (CUDA)</translation>
    </message>
    <message>
      <source>Keypoints</source>
      <translation>Schlüsselpunkte</translation>
    </message>
    <message>
      <source>Learning rate</source>
      <translation>Lernrate</translation>
    </message>
    <message>
      <source>Loss</source>
      <translation>Verlust</translation>
    </message>
    <message>
      <source>Mean squared error</source>
      <translation>Mittlerer quadratischer Fehler</translation>
    </message>
    <message>
      <source>NME {new:.2f} % instead of {old:.2f} % on {faces} faces</source>
      <translation>NME {new:.2f} % statt {old:.2f} % bei {faces} Gesichtern</translation>
    </message>
    <message>
      <source>NME {new:.2f} % instead of {old:.2f} % on {faces} faces of people that neither has seen</source>
      <translation>NME {new:.2f} % statt {old:.2f} % bei {faces} Gesichtern von Personen, die keins der beiden gesehen hat</translation>
    </message>
    <message>
      <source>Network</source>
      <translation>Netz</translation>
    </message>
    <message>
      <source>No teacher</source>
      <translation>Kein Lehrer</translation>
    </message>
    <message>
      <source>Non-faces</source>
      <translation>Nicht-Gesichter</translation>
    </message>
    <message>
      <source>None</source>
      <translation>Keine</translation>
    </message>
    <message>
      <source>Nothing is being trained.</source>
      <translation>Es wird nichts trainiert.</translation>
    </message>
    <message>
      <source>ONNX Runtime computes on the CPU only, not on {device!r}; choose cpu</source>
      <translation>ONNX Runtime rechnet nur auf der CPU, nicht auf {device!r}; wählen Sie cpu</translation>
    </message>
    <message>
      <source>One cycle (up, then down)</source>
      <translation>Ein Zyklus (hinauf, dann hinab)</translation>
    </message>
    <message>
      <source>Optimizer</source>
      <translation>Optimierer</translation>
    </message>
    <message>
      <source>Precision</source>
      <translation>Genauigkeit</translation>
    </message>
    <message>
      <source>Processor (CPU)</source>
      <translation>Prozessor (CPU)</translation>
    </message>
    <message>
      <source>PyTorch finds no {device} device here</source>
      <translation>PyTorch findet hier kein Gerät für {device}</translation>
    </message>
    <message>
      <source>Random crop (as published)</source>
      <translation>Zufälliger Zuschnitt (wie veröffentlicht)</translation>
    </message>
    <message>
      <source>Reading the data set…</source>
      <translation>Der Datensatz wird gelesen…</translation>
    </message>
    <message>
      <source>Run folder</source>
      <translation>Ordner des Laufs</translation>
    </message>
    <message>
      <source>SGD with momentum</source>
      <translation>SGD mit Momentum</translation>
    </message>
    <message>
      <source>Schedule</source>
      <translation>Lernratenverlauf</translation>
    </message>
    <message>
      <source>Seed</source>
      <translation>Startwert</translation>
    </message>
    <message>
      <source>Settings cannot be kept, so changes last until you close the window; see that {file} can be written and that its disk has room</source>
      <translation>Einstellungen können nicht behalten werden, Änderungen gelten daher nur bis zum Schließen des Fensters; sehen Sie nach, ob {file} geschrieben werden kann und der Datenträger Platz hat</translation>
    </message>
    <message>
      <source>Shortcut added, ReLU</source>
      <translation>Abkürzung, ReLU</translation>
    </message>
    <message>
      <source>Smooth L1</source>
      <translation>Smooth L1</translation>
    </message>
    <message>
      <source>Start from</source>
      <translation>Ausgehen von</translation>
    </message>
    <message>
      <source>Start from scratch</source>
      <translation>Von Grund auf beginnen</translation>
    </message>
    <message numerus="yes">
      <source>Stopped after %n epoch(s): {best}.</source>
      <translation>
        <numerusform>Beendet nach %n Epoche: {best}.</numerusform>
        <numerusform>Beendet nach %n Epochen: {best}.</numerusform>
      </translation>
    </message>
    <message>
      <source>Stopped before the first epoch was judged. Nothing was kept.</source>
      <translation>Beendet, bevor die erste Epoche beurteilt war. Nichts wurde behalten.</translation>
    </message>
    <message>
      <source>Stopping after this batch…</source>
      <translation>Wird nach diesem Batch beendet…</translation>
    </message>
    <message>
      <source>Teacher</source>
      <translation>Lehrer</translation>
    </message>
    <message>
      <source>Teacher's share</source>
      <translation>Anteil des Lehrers</translation>
    </message>
    <message>
      <source>The data have changed since the run: the new weights may have been trained on some of these faces, which flatters them.</source>
      <translation>Die Daten haben sich seit dem Lauf geändert: Die neuen Gewichte könnten mit einigen dieser Gesichter trainiert worden sein, was sie besser aussehen lässt.</translation>
    </message>
    <message>
      <source>The new weights are better: {figures}.</source>
      <translation>Die neuen Gewichte sind besser: {figures}.</translation>
    </message>
    <message>
      <source>The new weights are worse: {figures}. Keep the old ones.</source>
      <translation>Die neuen Gewichte sind schlechter: {figures}. Behalten Sie die alten.</translation>
    </message>
    <message>
      <source>The old weights did not keep the same people aside: they may have been trained on some of these faces, which flatters them.</source>
      <translation>Die alten Gewichte haben nicht dieselben Personen zurückgehalten: Sie könnten mit einigen dieser Gesichter trainiert worden sein, was sie besser aussehen lässt.</translation>
    </message>
    <message>
      <source>The run began with weights that may have been trained on some of these faces, which flatters the new ones.</source>
      <translation>Der Lauf begann mit Gewichten, die mit einigen dieser Gesichter trainiert worden sein könnten, was die neuen besser aussehen lässt.</translation>
    </message>
    <message>
      <source>The settings are of a newer version of FKD Desktop; they stay as they are, and changes go to {file} until you update</source>
      <translation>Die Einstellungen sind von einer neueren Version von FKD Desktop; sie bleiben, wie sie sind, und Änderungen kommen bis zur Aktualisierung in {file}</translation>
    </message>
    <message>
      <source>The settings were damaged: what could be read of them is in use, and the damaged file is kept as {file}</source>
      <translation>Die Einstellungen waren beschädigt: Was davon lesbar war, wird verwendet, und die beschädigte Datei bleibt als {file} erhalten</translation>
    </message>
    <message>
      <source>There are too few people to tell which weights are better: NME {new:.2f} % instead of {old:.2f} % on {faces} faces of {people}.</source>
      <translation>Es sind zu wenige Personen, um zu sagen, welche Gewichte besser sind: NME {new:.2f} % statt {old:.2f} % bei {faces} Gesichtern von {people} Personen.</translation>
    </message>
    <message>
      <source>There is no real difference: {figures}; chance alone makes up to {margin:.2f} %.</source>
      <translation>Es gibt keinen echten Unterschied: {figures}; der Zufall allein macht bis zu {margin:.2f} % aus.</translation>
    </message>
    <message>
      <source>Threads</source>
      <translation>Threads</translation>
    </message>
    <message>
      <source>Train {title}</source>
      <translation>{title} trainieren</translation>
    </message>
    <message numerus="yes">
      <source>Training failed after %n epoch(s): {best}.</source>
      <translation>
        <numerusform>Training fehlgeschlagen nach %n Epoche: {best}.</numerusform>
        <numerusform>Training fehlgeschlagen nach %n Epochen: {best}.</numerusform>
      </translation>
    </message>
    <message>
      <source>Training failed.</source>
      <translation>Training fehlgeschlagen.</translation>
    </message>
    <message>
      <source>Training…</source>
      <translation>Training läuft…</translation>
    </message>
    <message>
      <source>Use 0</source>
      <translation>0 verwenden</translation>
    </message>
    <message>
      <source>Use AdamW</source>
      <translation>AdamW verwenden</translation>
    </message>
    <message>
      <source>Use a constant rate</source>
      <translation>Konstante Rate verwenden</translation>
    </message>
    <message>
      <source>Use float32</source>
      <translation>float32 verwenden</translation>
    </message>
    <message>
      <source>Use the best there is</source>
      <translation>Das beste verfügbare verwenden</translation>
    </message>
    <message>
      <source>Use the same, {first:g} and {second:g}</source>
      <translation>Dieselben verwenden, {first:g} und {second:g}</translation>
    </message>
    <message>
      <source>Use the same, {value:g}</source>
      <translation>Denselben Wert verwenden, {value:g}</translation>
    </message>
    <message>
      <source>Use {epochs} epochs at {rate:g}</source>
      <translation>{epochs} Epochen mit {rate:g} verwenden</translation>
    </message>
    <message>
      <source>Use {usual:g}</source>
      <translation>{usual:g} verwenden</translation>
    </message>
    <message>
      <source>Validation share</source>
      <translation>Validierungsanteil</translation>
    </message>
    <message>
      <source>Weight decay</source>
      <translation>Gewichtszerfall</translation>
    </message>
    <message>
      <source>What the updated FKD Desktop newly needs could not be installed: {reason}; see to the cause, often the network, and start FKD Desktop again (now it opens without, if it can)</source>
      <translation>Was das aktualisierte FKD Desktop neu braucht, konnte nicht installiert werden: {reason}; beheben Sie die Ursache, oft das Netzwerk, und starten Sie FKD Desktop noch einmal (jetzt öffnet es sich ohne, wenn es kann)</translation>
    </message>
    <message>
      <source>Windows does not let this program use {name}; allow it under Settings, Privacy &amp; security, Camera (also for desktop apps), then retry, or choose another source</source>
      <translation>Windows lässt dieses Programm {name} nicht verwenden; erlauben Sie es unter Einstellungen, Datenschutz und Sicherheit, Kamera (auch für Desktop-Apps) und versuchen Sie es dann erneut, oder wählen Sie eine andere Quelle</translation>
    </message>
    <message>
      <source>Wing</source>
      <translation>Wing</translation>
    </message>
    <message>
      <source>a camera needs a window to be seen in; give a video, a picture or demo as --source</source>
      <translation>eine Kamera braucht ein Fenster, um gesehen zu werden; geben Sie als --source ein Video, ein Bild oder demo an</translation>
    </message>
    <message>
      <source>a file called {path!a}</source>
      <translation>eine Datei namens {path!a}</translation>
    </message>
    <message>
      <source>a picture of {width} x {height} cannot be saved as {form}; choose PNG in the preferences</source>
      <translation>ein Bild von {width} × {height} lässt sich nicht als {form} speichern; wählen Sie in den Einstellungen PNG</translation>
    </message>
    <message>
      <source>about 5,800 pictures, 200 to 300 MB</source>
      <translation>etwa 5.800 Bilder, 200 bis 300 MB</translation>
    </message>
    <message>
      <source>about {duration}</source>
      <translation>etwa {duration}</translation>
    </message>
    <message>
      <source>all images are of one identity; validation needs at least two</source>
      <translation>alle Bilder zeigen dieselbe Person; die Validierung braucht mindestens zwei</translation>
    </message>
    <message>
      <source>all its faces are of one identity, {identity!r} (the file name up to its last underscore), and validation needs another</source>
      <translation>alle Gesichter darin sind von einer Person, {identity!r} (der Dateiname bis zum letzten Unterstrich), und die Validierung braucht eine weitere</translation>
    </message>
    <message>
      <source>all keypoints are at one place</source>
      <translation>alle Schlüsselpunkte liegen an einer Stelle</translation>
    </message>
    <message>
      <source>an entry without a path</source>
      <translation>ein Eintrag ohne Pfad</translation>
    </message>
    <message>
      <source>another process is training in {path}; wait until it has ended, or choose another --out</source>
      <translation>ein anderer Prozess trainiert in {path}; warten Sie, bis er zu Ende ist, oder wählen Sie ein anderes --out</translation>
    </message>
    <message>
      <source>another program uses {name}; close it there, or choose another camera</source>
      <translation>ein anderes Programm verwendet {name}; schließen Sie sie dort oder wählen Sie eine andere Kamera</translation>
    </message>
    <message>
      <source>any place that it names</source>
      <translation>einem Ort, den er nennt</translation>
    </message>
    <message>
      <source>augmenting a face</source>
      <translation>Augmentieren eines Gesichts</translation>
    </message>
    <message>
      <source>best NME {nme} in epoch {epoch}</source>
      <translation>bester NME {nme} in Epoche {epoch}</translation>
    </message>
    <message>
      <source>bfloat16 is made for GPUs: on a processor without instructions for it a step took ten times as long</source>
      <translation>bfloat16 ist für GPUs gemacht: Auf einem Prozessor ohne passende Befehle dauerte ein Schritt zehnmal so lange</translation>
    </message>
    <message>
      <source>camera:{camera} asks for a size or rate that makes no sense; write camera:0?size=1280x720&amp;fps=30</source>
      <translation>camera:{camera} verlangt eine Größe oder Bildrate, die keinen Sinn ergibt; schreiben Sie camera:0?size=1280x720&amp;fps=30</translation>
    </message>
    <message>
      <source>camera:{camera} is not a camera; write camera:0 for the first one</source>
      <translation>camera:{camera} ist keine Kamera; schreiben Sie camera:0 für die erste</translation>
    </message>
    <message>
      <source>cannot be read ({reason})</source>
      <translation>ist nicht lesbar ({reason})</translation>
    </message>
    <message>
      <source>cannot be read as UTF-8 text; save the table as CSV in UTF-8</source>
      <translation>ist nicht als UTF-8-Text lesbar; speichern Sie die Tabelle als CSV in UTF-8</translation>
    </message>
    <message>
      <source>cannot be read from here on ({error}); is a quotation mark open?</source>
      <translation>ist ab hier nicht lesbar ({error}); ist ein Anführungszeichen offen?</translation>
    </message>
    <message>
      <source>check its permissions</source>
      <translation>prüfen Sie die Zugriffsrechte</translation>
    </message>
    <message>
      <source>check the disk</source>
      <translation>prüfen Sie den Datenträger</translation>
    </message>
    <message>
      <source>checking the data set</source>
      <translation>Prüfen des Datensatzes</translation>
    </message>
    <message>
      <source>choose a data set first</source>
      <translation>wählen Sie zuerst einen Datensatz</translation>
    </message>
    <message>
      <source>comparing the run {name}</source>
      <translation>Vergleichen des Laufs {name}</translation>
    </message>
    <message>
      <source>crops without a well-placed face, a face: teaches the confidence</source>
      <translation>Zuschnitte ohne gut platziertes Gesicht je Gesicht: lehrt die Konfidenz</translation>
    </message>
    <message>
      <source>data set: a folder, or a CSV file</source>
      <translation>Datensatz: ein Ordner oder eine CSV-Datei</translation>
    </message>
    <message>
      <source>decoupled weight decay (adamw)</source>
      <translation>entkoppelter Gewichtszerfall (adamw)</translation>
    </message>
    <message>
      <source>deleting the run {name}</source>
      <translation>Löschen des Laufs {name}</translation>
    </message>
    <message>
      <source>deleting {name}</source>
      <translation>Löschen von {name}</translation>
    </message>
    <message>
      <source>desktop notification</source>
      <translation>Benachrichtigung auf dem Desktop</translation>
    </message>
    <message>
      <source>drawing what is inside the network</source>
      <translation>Zeichnen des Netzinneren</translation>
    </message>
    <message>
      <source>estimating…</source>
      <translation>wird geschätzt…</translation>
    </message>
    <message>
      <source>every crop then sits exactly on its label, as no detector places it</source>
      <translation>jeder Zuschnitt sitzt dann genau auf seiner Annotation, wie kein Detektor ihn platziert</translation>
    </message>
    <message>
      <source>faces a step, of all processes together</source>
      <translation>Gesichter je Schritt, über alle Prozesse zusammen</translation>
    </message>
    <message>
      <source>faces are only shifted, as published: never turned, hidden or lit otherwise</source>
      <translation>Gesichter werden nur verschoben, wie veröffentlicht: nie gedreht, verdeckt oder anders beleuchtet</translation>
    </message>
    <message>
      <source>far above the {usual:g} of the shipped weights; a loss that is no number any more ends the run</source>
      <translation>weit über den {usual:g} der mitgelieferten Gewichte; ein Verlust, der keine Zahl mehr ist, beendet den Lauf</translation>
    </message>
    <message>
      <source>free some space</source>
      <translation>schaffen Sie Platz</translation>
    </message>
    <message>
      <source>full: place, size, angle, light, sharpness, hidden parts; random_crop: a shift, as published</source>
      <translation>full: Lage, Größe, Winkel, Licht, Schärfe, verdeckte Teile; random_crop: eine Verschiebung, wie veröffentlicht</translation>
    </message>
    <message>
      <source>has no rows; there is nothing to train on</source>
      <translation>enthält keine Zeilen; es gibt nichts zu trainieren</translation>
    </message>
    <message>
      <source>how the learning rate goes</source>
      <translation>wie die Lernrate verläuft</translation>
    </message>
    <message>
      <source>in {path}, names has {language}, which is no language; write codes such as de or pt_BR</source>
      <translation>in {path} steht unter names {language}, was keine Sprache ist; schreiben Sie Kürzel wie de oder pt_BR</translation>
    </message>
    <message>
      <source>in {path}, the entry {entry} is missing; write it</source>
      <translation>in {path} fehlt der Eintrag {entry}; ergänzen Sie ihn</translation>
    </message>
    <message>
      <source>in {path}, the entry {entry} is not known; check its spelling</source>
      <translation>in {path} ist der Eintrag {entry} unbekannt; prüfen Sie die Schreibweise</translation>
    </message>
    <message>
      <source>in {path}, there are {found} of {entry}; write {least} to {most}</source>
      <translation>in {path} gibt es {entry} {found}-mal; schreiben Sie {least} bis {most}</translation>
    </message>
    <message>
      <source>in {path}, three of {where} are on one line, which gives no perspective; put one elsewhere</source>
      <translation>in {path} liegen drei von {where} auf einer Linie, was keine Perspektive ergibt; setzen Sie einen davon woandershin</translation>
    </message>
    <message>
      <source>in {path}, two of {where} are on the same keypoints; give each its own</source>
      <translation>in {path} liegen zwei von {where} auf denselben Schlüsselpunkten; geben Sie jedem eigene</translation>
    </message>
    <message>
      <source>in {path}, two of {where} are on the same point of the picture; give each its own</source>
      <translation>in {path} liegen zwei von {where} auf demselben Punkt des Bildes; geben Sie jedem einen eigenen</translation>
    </message>
    <message>
      <source>in {path}, {entry} has {found}; write numbers from {least} to {most}</source>
      <translation>in {path} hat {entry} den Wert {found}; schreiben Sie Zahlen von {least} bis {most}</translation>
    </message>
    <message>
      <source>in {path}, {entry} has {found}; write whole numbers from {least} to {most}</source>
      <translation>in {path} hat {entry} den Wert {found}; schreiben Sie ganze Zahlen von {least} bis {most}</translation>
    </message>
    <message>
      <source>in {path}, {entry} is {found} and neither an SVG nor a PNG; choose one</source>
      <translation>in {path} ist {entry} {found} und weder ein SVG noch ein PNG; wählen Sie eins davon</translation>
    </message>
    <message>
      <source>in {path}, {entry} is {found} and no list of tables; mend it</source>
      <translation>in {path} ist {entry} {found} und keine Liste von Tabellen; berichtigen Sie es</translation>
    </message>
    <message>
      <source>in {path}, {entry} is {found} and no table; mend it</source>
      <translation>in {path} ist {entry} {found} und keine Tabelle; berichtigen Sie es</translation>
    </message>
    <message>
      <source>in {path}, {entry} is {found} and not a line of up to {longest} letters; mend it</source>
      <translation>in {path} ist {entry} {found} und keine Zeile von bis zu {longest} Zeichen; berichtigen Sie es</translation>
    </message>
    <message>
      <source>in {path}, {entry} is {found}, which leads outside the overlay's own folder; put the picture inside</source>
      <translation>in {path} ist {entry} {found}, was aus dem Ordner der Einblendung hinausführt; legen Sie das Bild hinein</translation>
    </message>
    <message>
      <source>in {path}, {entry} is {found}; write a list of {count} numbers</source>
      <translation>in {path} ist {entry} {found}; schreiben Sie eine Liste von {count} Zahlen</translation>
    </message>
    <message>
      <source>in {path}, {entry} is {found}; write one of {choices}</source>
      <translation>in {path} ist {entry} {found}; schreiben Sie eins von {choices}</translation>
    </message>
    <message>
      <source>in {path}, {entry} is {found}; write true or false</source>
      <translation>in {path} ist {entry} {found}; schreiben Sie true oder false</translation>
    </message>
    <message>
      <source>in {path}, {where} are all on one line, which does not tie a picture down; put one elsewhere</source>
      <translation>in {path} liegen {where} alle auf einer Linie, was ein Bild nicht festhält; setzen Sie einen davon woandershin</translation>
    </message>
    <message>
      <source>in {path}, {where} has a keypoint twice; write each once</source>
      <translation>in {path} steht in {where} ein Schlüsselpunkt zweimal; schreiben Sie jeden einmal</translation>
    </message>
    <message>
      <source>inner lips</source>
      <translation>innere Lippen</translation>
    </message>
    <message>
      <source>instead of a listing came {content_type!a}; if this network has a login page, log in with a web browser and run the download again</source>
      <translation>statt einer Liste kam {content_type!a}; wenn dieses Netzwerk eine Anmeldeseite hat, melden Sie sich mit einem Webbrowser an und starten Sie das Herunterladen erneut</translation>
    </message>
    <message>
      <source>is no .pts file: 68 lines of x and y between a line { and a line }</source>
      <translation>ist keine .pts-Datei: 68 Zeilen mit x und y zwischen einer Zeile { und einer Zeile }</translation>
    </message>
    <message>
      <source>it bends at 250 px and {network} sees 224, so only its inner part is ever used</source>
      <translation>er knickt bei 250 px, und {network} sieht 224; also wird nur sein innerer Teil je benutzt</translation>
    </message>
    <message>
      <source>it has format version {version!r}, this program reads {known}; update FKD Desktop</source>
      <translation>es hat die Formatversion {version!r}, dieses Programm liest {known}; aktualisieren Sie FKD Desktop</translation>
    </message>
    <message>
      <source>it has no effect without a teacher</source>
      <translation>es hat ohne Lehrer keine Wirkung</translation>
    </message>
    <message>
      <source>it has no effect: faces are turned and hidden by full augmentation only</source>
      <translation>es hat keine Wirkung: Nur volle Augmentierung dreht und verdeckt Gesichter</translation>
    </message>
    <message>
      <source>it has no effect: only AdamW decays weights here</source>
      <translation>es hat keine Wirkung: Nur AdamW wendet hier Gewichtszerfall an</translation>
    </message>
    <message>
      <source>it has no training split</source>
      <translation>er hat keinen Trainingsteil</translation>
    </message>
    <message>
      <source>it has the setting {name!r}, which this version does not know</source>
      <translation>die Einstellung {name!r} darin ist dieser Version unbekannt</translation>
    </message>
    <message>
      <source>it holds no settings</source>
      <translation>es enthält keine Einstellungen</translation>
    </message>
    <message>
      <source>it is not JSON: {error}</source>
      <translation>es ist kein JSON: {error}</translation>
    </message>
    <message>
      <source>it learns slowly here: after one epoch at 0.001 its NME was 13.8 %, Adam's 8.0 %</source>
      <translation>er lernt hier langsam: Nach einer Epoche mit 0,001 war sein NME 13,8 %, der von Adam 8,0 %</translation>
    </message>
    <message>
      <source>it starts another installation, {program}</source>
      <translation>er startet eine andere Installation, {program}</translation>
    </message>
    <message>
      <source>it starts {program}, which is not there any more</source>
      <translation>er startet {program}, das es nicht mehr gibt</translation>
    </message>
    <message>
      <source>it was made by another version</source>
      <translation>er stammt von einer anderen Version</translation>
    </message>
    <message>
      <source>its name is not allowed</source>
      <translation>der Name ist nicht erlaubt</translation>
    </message>
    <message>
      <source>jaw</source>
      <translation>Kiefer</translation>
    </message>
    <message>
      <source>judging a face</source>
      <translation>Beurteilen eines Gesichts</translation>
    </message>
    <message>
      <source>judging the data set</source>
      <translation>Beurteilen des Datensatzes</translation>
    </message>
    <message>
      <source>keypoint {keypoint} is {distance_px:.0f} px outside the image of {width} x {height} px</source>
      <translation>Schlüsselpunkt {keypoint} liegt {distance_px:.0f} px außerhalb des Bildes mit {width} × {height} px</translation>
    </message>
    <message>
      <source>keypoints {first} and {second}, the outer corners of the eyes, are at one place</source>
      <translation>die Schlüsselpunkte {first} und {second}, die äußeren Augenwinkel, liegen an einer Stelle</translation>
    </message>
    <message>
      <source>last share of the epochs, in which faces are turned and hidden less</source>
      <translation>letzter Anteil der Epochen, in dem Gesichter weniger gedreht und verdeckt werden</translation>
    </message>
    <message>
      <source>learning rate; with one_cycle its peak</source>
      <translation>Lernrate; bei one_cycle ihr Höchstwert</translation>
    </message>
    <message>
      <source>left brow</source>
      <translation>linke Braue</translation>
    </message>
    <message>
      <source>left eye</source>
      <translation>linkes Auge</translation>
    </message>
    <message>
      <source>listing the runs</source>
      <translation>Auflisten der Läufe</translation>
    </message>
    <message>
      <source>lists the face of {place} again</source>
      <translation>führt das Gesicht aus {place} noch einmal auf</translation>
    </message>
    <message>
      <source>loading the dialogs</source>
      <translation>Laden der Dialoge</translation>
    </message>
    <message>
      <source>loading the network to look into</source>
      <translation>Laden des Netzes zum Untersuchen</translation>
    </message>
    <message>
      <source>loading the plotting library</source>
      <translation>Laden der Bibliothek für Kurven</translation>
    </message>
    <message>
      <source>looking at the run</source>
      <translation>Nachsehen beim Lauf</translation>
    </message>
    <message>
      <source>looking for devices</source>
      <translation>Suche nach Geräten</translation>
    </message>
    <message>
      <source>loss on the keypoints</source>
      <translation>Verlust bei den Schlüsselpunkten</translation>
    </message>
    <message>
      <source>macOS asks whether the camera may be used; choose Allow there, then retry</source>
      <translation>macOS fragt, ob die Kamera verwendet werden darf; wählen Sie dort „Erlauben“ und versuchen Sie es dann erneut</translation>
    </message>
    <message>
      <source>macOS does not let this program use {name}; allow it under System Settings, Privacy &amp; Security, Camera, start the program again, or choose another source</source>
      <translation>macOS lässt dieses Programm {name} nicht verwenden; erlauben Sie es unter Systemeinstellungen, Datenschutz &amp; Sicherheit, Kamera und starten Sie das Programm neu, oder wählen Sie eine andere Quelle</translation>
    </message>
    <message>
      <source>more people are kept aside than trained on</source>
      <translation>mehr Personen werden zurückgehalten als trainiert</translation>
    </message>
    <message>
      <source>more than 1 GB of files</source>
      <translation>mehr als 1 GB an Dateien</translation>
    </message>
    <message>
      <source>move away the file that stands where a folder should be</source>
      <translation>verschieben Sie die Datei, die an der Stelle eines Ordners steht</translation>
    </message>
    <message>
      <source>move away the folder that stands where a file should be</source>
      <translation>verschieben Sie den Ordner, der an der Stelle einer Datei steht</translation>
    </message>
    <message>
      <source>network to train</source>
      <translation>zu trainierendes Netz</translation>
    </message>
    <message>
      <source>no device is called {device!r}; choose one of {names}</source>
      <translation>kein Gerät heißt {device!r}; wählen Sie eins von {names}</translation>
    </message>
    <message>
      <source>no engine is called {engine!r}; choose one of {names}</source>
      <translation>kein Rechenwerk heißt {engine!r}; wählen Sie eines von {names}</translation>
    </message>
    <message>
      <source>no label of its training split can be used</source>
      <translation>keine Annotation des Trainingsteils ist brauchbar</translation>
    </message>
    <message>
      <source>no picture or video matches {pattern}; check the pattern</source>
      <translation>kein Bild oder Video passt zu {pattern}; prüfen Sie das Muster</translation>
    </message>
    <message>
      <source>none of the {count} pictures in {folder} can be read; choose another folder</source>
      <translation>keins der {count} Bilder in {folder} ist lesbar; wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
      <source>nose</source>
      <translation>Nase</translation>
    </message>
    <message>
      <source>nothing was heard from the training process for {duration}: it may be stuck, or the computer very busy; “Stop and keep”, and then “End now”, keep what the last epoch learned</source>
      <translation>vom Trainingsprozess war {duration} lang nichts zu hören: Vielleicht hängt er, oder der Computer ist sehr beschäftigt; „Beenden und behalten“ und dann „Sofort beenden“ behalten, was die letzte Epoche gelernt hat</translation>
    </message>
    <message>
      <source>nothing was heard from the training process for {duration}: it may be stuck, or the data may be large or on a slow disk; “Cancel” ends it</source>
      <translation>vom Trainingsprozess war {duration} lang nichts zu hören: Vielleicht hängt er, oder die Daten sind groß oder auf einem langsamen Datenträger; „Abbrechen“ beendet ihn</translation>
    </message>
    <message>
      <source>nothing was judged</source>
      <translation>nichts wurde beurteilt</translation>
    </message>
    <message>
      <source>nothing was recorded because no picture came; start the session and retry</source>
      <translation>nichts wurde aufgenommen, weil kein Bild kam; starten Sie die Sitzung und versuchen Sie es erneut</translation>
    </message>
    <message>
      <source>numbers to compute with; auto: bfloat16 on CUDA</source>
      <translation>Zahlen, mit denen gerechnet wird; auto: bfloat16 mit CUDA</translation>
    </message>
    <message>
      <source>on a processor Two conv needs {needed:.2g} GB of memory or more, and took about 10 s a step</source>
      <translation>auf einem Prozessor braucht Two conv mindestens {needed:.2g} GB Speicher und brauchte etwa 10 s je Schritt</translation>
    </message>
    <message>
      <source>on a processor an epoch of Simple on 2,676 faces took 5.5 minutes</source>
      <translation>auf einem Prozessor dauerte bei Simple eine Epoche mit 2.676 Gesichtern 5,5 Minuten</translation>
    </message>
    <message>
      <source>one cycle ends with a rate of almost nothing: a run of a single step learns nothing</source>
      <translation>ein Zyklus endet mit einer Rate von fast null: Ein Lauf mit einem einzigen Schritt lernt nichts</translation>
    </message>
    <message>
      <source>one face was not judged: its image cannot be read</source>
      <translation>ein Gesicht wurde nicht beurteilt: Sein Bild ist nicht lesbar</translation>
    </message>
    <message>
      <source>one training label of the data set cannot be used; download the data set again, which repairs it, or leave it out</source>
      <translation>eine Annotation des Trainingsteils ist unbrauchbar; laden Sie den Datensatz noch einmal herunter, was sie repariert, oder lassen Sie sie weg</translation>
    </message>
    <message>
      <source>one training label of the data set cannot be used; repair it, or leave it out</source>
      <translation>eine Annotation des Trainingsteils ist unbrauchbar; reparieren Sie sie oder lassen Sie sie weg</translation>
    </message>
    <message>
      <source>only about {faces:,} faces are left to train on, so each epoch is a single step</source>
      <translation>nur etwa {faces:,} Gesichter bleiben zum Trainieren, jede Epoche ist also ein einziger Schritt</translation>
    </message>
    <message>
      <source>opening a window</source>
      <translation>Öffnen eines Fensters</translation>
    </message>
    <message>
      <source>opening the picture</source>
      <translation>Öffnen des Bildes</translation>
    </message>
    <message>
      <source>optimizer</source>
      <translation>Optimierer</translation>
    </message>
    <message>
      <source>outer lips</source>
      <translation>äußere Lippen</translation>
    </message>
    <message>
      <source>passes over the training images</source>
      <translation>Durchgänge durch die Trainingsbilder</translation>
    </message>
    <message>
      <source>processor threads; 0: all</source>
      <translation>Prozessor-Threads; 0: alle</translation>
    </message>
    <message>
      <source>processor threads; automatic leaves one core to everything else</source>
      <translation>Prozessor-Threads; automatisch lässt allem anderen einen Kern</translation>
    </message>
    <message>
      <source>reading a picture</source>
      <translation>Lesen eines Bildes</translation>
    </message>
    <message>
      <source>reading the data set</source>
      <translation>Lesen des Datensatzes</translation>
    </message>
    <message>
      <source>reading the picture</source>
      <translation>Lesen des Bildes</translation>
    </message>
    <message>
      <source>reading the validation faces</source>
      <translation>Lesen der Validierungsgesichter</translation>
    </message>
    <message>
      <source>recording failed ({reason}); details are in the log</source>
      <translation>die Aufnahme ist fehlgeschlagen ({reason}); Näheres steht im Protokoll</translation>
    </message>
    <message>
      <source>right brow</source>
      <translation>rechte Braue</translation>
    </message>
    <message>
      <source>right eye</source>
      <translation>rechtes Auge</translation>
    </message>
    <message>
      <source>run folder to write; empty: runs/&lt;date and time&gt;</source>
      <translation>Ordner, in den der Lauf schreibt; leer: runs/&lt;Datum und Zeit&gt;</translation>
    </message>
    <message>
      <source>run the download again: it goes on where it stopped</source>
      <translation>starten Sie das Herunterladen erneut: Es geht weiter, wo es aufhörte</translation>
    </message>
    <message>
      <source>same</source>
      <translation>gleich</translation>
    </message>
    <message>
      <source>saving the picture</source>
      <translation>Speichern des Bildes</translation>
    </message>
    <message>
      <source>saving {name}</source>
      <translation>Speichern von {name}</translation>
    </message>
    <message>
      <source>seed of the split, the weights and the augmentation</source>
      <translation>Startwert der Aufteilung, der Gewichte und der Augmentierung</translation>
    </message>
    <message>
      <source>share of the identities kept aside to judge each epoch on</source>
      <translation>Anteil der Personen, die zurückgehalten werden, um jede Epoche daran zu beurteilen</translation>
    </message>
    <message>
      <source>shipped</source>
      <translation>mitgeliefert</translation>
    </message>
    <message>
      <source>stopped at the start; {goes_on}</source>
      <translation>am Anfang gestoppt; {goes_on}</translation>
    </message>
    <message>
      <source>stopped with {done:,} of {total:,} files; {goes_on}</source>
      <translation>nach {done:,} von {total:,} Dateien gestoppt; {goes_on}</translation>
    </message>
    <message>
      <source>such a batch takes about {taken:.1f} GB of memory, and {free:.1f} GB are free</source>
      <translation>ein solcher Batch braucht etwa {taken:.1f} GB Speicher, und {free:.1f} GB sind frei</translation>
    </message>
    <message numerus="yes">
      <source>that is about {steps:,} step(s) from scratch; the shipped weights took over {shipped:,}</source>
      <translation>
        <numerusform>von Grund auf ist das etwa {steps:,} Schritt; die mitgelieferten Gewichte brauchten über {shipped:,}</numerusform>
        <numerusform>von Grund auf sind das etwa {steps:,} Schritte; die mitgelieferten Gewichte brauchten über {shipped:,}</numerusform>
      </translation>
    </message>
    <message>
      <source>the archive</source>
      <translation>das Archiv</translation>
    </message>
    <message>
      <source>the archive brought nothing new ({error})</source>
      <translation>das Archiv brachte nichts Neues ({error})</translation>
    </message>
    <message>
      <source>the archive is damaged or broke off</source>
      <translation>das Archiv ist beschädigt oder brach ab</translation>
    </message>
    <message>
      <source>the archive unpacks to more than it should</source>
      <translation>das Archiv entpackt sich zu mehr, als es sollte</translation>
    </message>
    <message>
      <source>the check of the data set</source>
      <translation>die Prüfung des Datensatzes</translation>
    </message>
    <message>
      <source>the check was stopped before its end</source>
      <translation>die Prüfung wurde vor ihrem Ende gestoppt</translation>
    </message>
    <message>
      <source>the check was stopped before its end; check the data set again</source>
      <translation>die Prüfung wurde vor ihrem Ende gestoppt; prüfen Sie den Datensatz erneut</translation>
    </message>
    <message>
      <source>the comparison was stopped before its end</source>
      <translation>der Vergleich wurde vor seinem Ende gestoppt</translation>
    </message>
    <message>
      <source>the data set cannot be trained on: {reason}</source>
      <translation>mit dem Datensatz lässt sich nicht trainieren: {reason}</translation>
    </message>
    <message>
      <source>the data set is still being checked</source>
      <translation>der Datensatz wird noch geprüft</translation>
    </message>
    <message>
      <source>the data set is still being downloaded</source>
      <translation>der Datensatz wird noch heruntergeladen</translation>
    </message>
    <message>
      <source>the data that the run {name} was trained on are not at {data} any more; put them back there to compare</source>
      <translation>die Daten, mit denen der Lauf {name} trainiert wurde, sind nicht mehr unter {data}; legen Sie sie zum Vergleichen wieder dorthin</translation>
    </message>
    <message>
      <source>the device {device!r} is not available here; there are {names}</source>
      <translation>das Gerät {device!r} ist hier nicht verfügbar; es gibt {names}</translation>
    </message>
    <message>
      <source>the disk of {folder} is nearly full, so nothing is recorded; free some space or choose another folder</source>
      <translation>der Datenträger von {folder} ist fast voll, deshalb wird nichts aufgenommen; schaffen Sie Platz oder wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
      <source>the disk of {folder} is nearly full, so the recording was ended and kept; free some space</source>
      <translation>der Datenträger von {folder} ist fast voll, deshalb wurde die Aufnahme beendet und behalten; schaffen Sie Platz</translation>
    </message>
    <message>
      <source>the download</source>
      <translation>das Herunterladen</translation>
    </message>
    <message>
      <source>the download was stopped at its start; the next one goes on from there</source>
      <translation>das Herunterladen wurde am Anfang gestoppt; das nächste geht von dort weiter</translation>
    </message>
    <message>
      <source>the download was stopped with {done:,} of {total:,} files; the next one goes on from there</source>
      <translation>das Herunterladen wurde nach {done:,} von {total:,} Dateien gestoppt; das nächste geht von dort weiter</translation>
    </message>
    <message>
      <source>the drawing {path} has a DOCTYPE or entities, which may hide files; free it of them</source>
      <translation>die Zeichnung {path} hat einen DOCTYPE oder Entitäten, die Dateien verbergen können; entfernen Sie diese</translation>
    </message>
    <message>
      <source>the drawing {path} has a part &lt;{part}&gt;, which overlays must not have; free it of that</source>
      <translation>die Zeichnung {path} hat einen Teil &lt;{part}&gt;, den Einblendungen nicht haben dürfen; entfernen Sie ihn</translation>
    </message>
    <message>
      <source>the drawing {path} has a picture in it that is damaged or neither PNG nor JPEG; choose one without</source>
      <translation>in der Zeichnung {path} ist ein Bild, das beschädigt oder weder PNG noch JPEG ist; wählen Sie eine ohne</translation>
    </message>
    <message>
      <source>the drawing {path} has a style that refers to something outside; put all that it shows inside</source>
      <translation>die Zeichnung {path} hat einen Stil, der auf etwas außerhalb verweist; legen Sie alles hinein, was sie zeigt</translation>
    </message>
    <message>
      <source>the drawing {path} has filters or masks in a style sheet; put them into the shapes themselves</source>
      <translation>die Zeichnung {path} hat Filter oder Masken in einem Stylesheet; schreiben Sie sie in die Formen selbst</translation>
    </message>
    <message>
      <source>the drawing {path} has more than {most} shapes; choose a simpler one</source>
      <translation>die Zeichnung {path} hat mehr als {most} Formen; wählen Sie eine einfachere</translation>
    </message>
    <message>
      <source>the drawing {path} has pictures of more than {limit} megapixels in it; choose one with smaller ones</source>
      <translation>in der Zeichnung {path} sind Bilder von mehr als {limit} Megapixeln; wählen Sie eine mit kleineren</translation>
    </message>
    <message>
      <source>the drawing {path} has {what}, which overlays must not have; free it of that</source>
      <translation>die Zeichnung {path} hat {what}, was Einblendungen nicht haben dürfen; entfernen Sie es</translation>
    </message>
    <message>
      <source>the drawing {path} is nested too deeply; choose a simpler one</source>
      <translation>die Zeichnung {path} ist zu tief verschachtelt; wählen Sie eine einfachere</translation>
    </message>
    <message>
      <source>the drawing {path} is no SVG ({reason}); choose another</source>
      <translation>die Zeichnung {path} ist kein SVG ({reason}); wählen Sie eine andere</translation>
    </message>
    <message>
      <source>the drawing {path} is no SVG; choose another</source>
      <translation>die Zeichnung {path} ist kein SVG; wählen Sie eine andere</translation>
    </message>
    <message>
      <source>the drawing {path} is not written in UTF-8; choose another</source>
      <translation>die Zeichnung {path} ist nicht in UTF-8 geschrieben; wählen Sie eine andere</translation>
    </message>
    <message>
      <source>the drawing {path} refers to {what}, outside itself; put all that it shows inside</source>
      <translation>die Zeichnung {path} verweist auf {what}, außerhalb ihrer selbst; legen Sie alles hinein, was sie zeigt</translation>
    </message>
    <message>
      <source>the drawing {path} takes too long to be painted; choose a simpler one</source>
      <translation>die Zeichnung {path} zu malen dauert zu lange; wählen Sie eine einfachere</translation>
    </message>
    <message>
      <source>the face detector's file {path} is damaged; install opencv-python again</source>
      <translation>die Datei {path} der Gesichtserkennung ist beschädigt; installieren Sie opencv-python neu</translation>
    </message>
    <message>
      <source>the face detector's file {path} is missing or damaged; install opencv-python again</source>
      <translation>die Datei {path} der Gesichtserkennung fehlt oder ist beschädigt; installieren Sie opencv-python neu</translation>
    </message>
    <message>
      <source>the folder {images} with its images is missing; put it beside the table</source>
      <translation>der Ordner {images} mit den Bildern dazu fehlt; legen Sie ihn neben die Tabelle</translation>
    </message>
    <message>
      <source>the folder {path} has no pictures or videos; choose another one, or give --recursive for what is below it</source>
      <translation>der Ordner {path} enthält keine Bilder oder Videos; wählen Sie einen anderen oder geben Sie --recursive für seine Unterordner an</translation>
    </message>
    <message>
      <source>the folder {path} has no pictures; choose another one</source>
      <translation>der Ordner {path} enthält keine Bilder; wählen Sie einen anderen</translation>
    </message>
    <message>
      <source>the folder {root} cannot be read ({reason})</source>
      <translation>der Ordner {root} ist nicht lesbar ({reason})</translation>
    </message>
    <message>
      <source>the folder {root} is empty; give the folder that holds the images and their labels</source>
      <translation>der Ordner {root} ist leer; geben Sie den Ordner mit den Bildern und ihren Annotationen an</translation>
    </message>
    <message>
      <source>the labels are moved {share:.0f}% of the way to the teacher's ({nme:.2f}% apart)</source>
      <translation>die Annotationen sind um {share:.0f} % zu denen des Lehrers hin verschoben ({nme:.2f} % auseinander)</translation>
    </message>
    <message>
      <source>the listing</source>
      <translation>die Liste</translation>
    </message>
    <message>
      <source>the listing cannot be read</source>
      <translation>die Liste ist nicht lesbar</translation>
    </message>
    <message>
      <source>the loss became {loss} in batch {batch} of epoch {epoch}; try a learning rate below {learning_rate:g}; the best weights so far are kept</source>
      <translation>der Verlust wurde {loss} in Batch {batch} der Epoche {epoch}; versuchen Sie eine Lernrate unter {learning_rate:g}; die bisher besten Gewichte bleiben erhalten</translation>
    </message>
    <message>
      <source>the memory is full; choose a smaller batch size or network, or close other programs</source>
      <translation>der Speicher ist voll; wählen Sie eine kleinere Batchgröße oder ein kleineres Netz, oder schließen Sie andere Programme</translation>
    </message>
    <message>
      <source>the memory of {device} is full; free some, or choose a smaller network or another device</source>
      <translation>der Speicher von {device} ist voll; schaffen Sie Platz oder wählen Sie ein kleineres Netz oder ein anderes Gerät</translation>
    </message>
    <message>
      <source>the memory of {device} is too small for a single face; free some, or choose another network</source>
      <translation>der Speicher von {device} ist für ein einziges Gesicht zu klein; schaffen Sie Platz oder wählen Sie ein anderes Netz</translation>
    </message>
    <message>
      <source>the memory of {device} is too small for {at_once} faces at once: going on with {fewer} at a time, added up to the same batch</source>
      <translation>der Speicher von {device} ist für {at_once} Gesichter zugleich zu klein: Es geht mit {fewer} zugleich weiter, zum selben Batch summiert</translation>
    </message>
    <message>
      <source>the memory of {device} is too small for {at_once} faces at once; choose a smaller batch_size</source>
      <translation>der Speicher von {device} ist für {at_once} Gesichter zugleich zu klein; wählen Sie eine kleinere batch_size</translation>
    </message>
    <message>
      <source>the network does not run ({reason}); details are in the log</source>
      <translation>das Netz läuft nicht ({reason}); Näheres steht im Protokoll</translation>
    </message>
    <message>
      <source>the network does not run on {device} ({reason}); choose another device</source>
      <translation>das Netz läuft nicht auf {device} ({reason}); wählen Sie ein anderes Gerät</translation>
    </message>
    <message>
      <source>the network gives no numbers any more after epoch {epoch}; try a learning rate below {learning_rate:g}; the best weights so far are kept</source>
      <translation>das Netz liefert nach Epoche {epoch} keine Zahlen mehr; versuchen Sie eine Lernrate unter {learning_rate:g}; die bisher besten Gewichte bleiben erhalten</translation>
    </message>
    <message>
      <source>the network to compare with is that of the run {name} itself; compare with another one</source>
      <translation>das Netz zum Vergleichen ist das des Laufs {name} selbst; vergleichen Sie mit einem anderen</translation>
    </message>
    <message>
      <source>the overlay {folder} cannot be deleted ({reason}); check its folder</source>
      <translation>die Einblendung {folder} lässt sich nicht löschen ({reason}); prüfen Sie ihren Ordner</translation>
    </message>
    <message>
      <source>the overlay {folder} cannot be written ({reason}); choose another place</source>
      <translation>die Einblendung {folder} lässt sich nicht schreiben ({reason}); wählen Sie einen anderen Ort</translation>
    </message>
    <message>
      <source>the overlay {folder} has the name of one that comes with the program; give its folder another</source>
      <translation>die Einblendung {folder} heißt wie eine, die dem Programm beiliegt; benennen Sie ihren Ordner um</translation>
    </message>
    <message>
      <source>the overlay {name} cannot be used: {reason}</source>
      <translation>die Einblendung {name} ist nicht verwendbar: {reason}</translation>
    </message>
    <message>
      <source>the overlay's description {path} cannot be read ({reason}); mend it</source>
      <translation>die Beschreibung {path} der Einblendung ist nicht lesbar ({reason}); berichtigen Sie sie</translation>
    </message>
    <message>
      <source>the overlay's description {path} is missing; put it there</source>
      <translation>die Beschreibung {path} der Einblendung fehlt; legen Sie sie dorthin</translation>
    </message>
    <message>
      <source>the overlay's picture {path} cannot be read ({reason}); check it</source>
      <translation>das Bild {path} der Einblendung ist nicht lesbar ({reason}); prüfen Sie es</translation>
    </message>
    <message>
      <source>the overlay's picture {path} has an anchor of a mesh outside it, at {place}; put it inside</source>
      <translation>im Bild {path} der Einblendung liegt ein Anker eines Gitters außerhalb, bei {place}; setzen Sie ihn hinein</translation>
    </message>
    <message>
      <source>the overlay's picture {path} has {width} x {height} px; choose one of at most {side} px a side and {pixels} million in all</source>
      <translation>das Bild {path} der Einblendung hat {width} × {height} px; wählen Sie eins mit höchstens {side} px je Seite und {pixels} Millionen insgesamt</translation>
    </message>
    <message>
      <source>the overlay's picture {path} is damaged or has no size; give it a viewBox</source>
      <translation>das Bild {path} der Einblendung ist beschädigt oder hat keine Größe; geben Sie ihm eine viewBox</translation>
    </message>
    <message>
      <source>the overlay's picture {path} is damaged or no PNG; choose another</source>
      <translation>das Bild {path} der Einblendung ist beschädigt oder kein PNG; wählen Sie ein anderes</translation>
    </message>
    <message>
      <source>the overlay's picture {path} is damaged; choose another</source>
      <translation>das Bild {path} der Einblendung ist beschädigt; wählen Sie ein anderes</translation>
    </message>
    <message>
      <source>the overlay's picture {path} is larger than {most} MB; choose a smaller one</source>
      <translation>das Bild {path} der Einblendung ist größer als {most} MB; wählen Sie ein kleineres</translation>
    </message>
    <message>
      <source>the overlay's picture {path} is missing; put it there</source>
      <translation>das Bild {path} der Einblendung fehlt; legen Sie es dorthin</translation>
    </message>
    <message>
      <source>the overlay's picture {path} leads outside its own folder; put it inside</source>
      <translation>das Bild {path} der Einblendung führt aus ihrem Ordner hinaus; legen Sie es hinein</translation>
    </message>
    <message>
      <source>the pictures of {name} arrive damaged; check its cable, plug it in without a hub, or choose a smaller size</source>
      <translation>die Bilder von {name} kommen beschädigt an; prüfen Sie das Kabel, schließen Sie die Kamera ohne Hub an oder wählen Sie eine kleinere Größe</translation>
    </message>
    <message>
      <source>the pictures of {path} are too large; choose a video of at most {limit} megapixels a picture</source>
      <translation>die Bilder von {path} sind zu groß; wählen Sie ein Video mit höchstens {limit} Megapixeln je Bild</translation>
    </message>
    <message>
      <source>the proxy on the way to {host} cannot be reached or refuses</source>
      <translation>der Proxy auf dem Weg zu {host} ist nicht erreichbar oder weigert sich</translation>
    </message>
    <message>
      <source>the row has no file name</source>
      <translation>die Zeile hat keinen Dateinamen</translation>
    </message>
    <message>
      <source>the run in {path} has all its {epochs} epochs; start a new run from its weights with --finetune</source>
      <translation>der Lauf in {path} hat alle seine {epochs} Epochen; starten Sie mit --finetune einen neuen Lauf von seinen Gewichten aus</translation>
    </message>
    <message>
      <source>the run in {path} was deleted; refresh the list</source>
      <translation>der Lauf in {path} wurde gelöscht; aktualisieren Sie die Liste</translation>
    </message>
    <message>
      <source>the run {name} has no weights to compare ({file} is missing); resume it until an epoch is done</source>
      <translation>der Lauf {name} hat keine Gewichte zum Vergleichen ({file} fehlt); setzen Sie ihn fort, bis eine Epoche fertig ist</translation>
    </message>
    <message>
      <source>the run {name} is training; stop it before you delete it</source>
      <translation>der Lauf {name} trainiert gerade; beenden Sie ihn, bevor Sie ihn löschen</translation>
    </message>
    <message>
      <source>the run's folder {path} is gone; if it was moved, go on with --resume and its new place</source>
      <translation>der Ordner {path} des Laufs ist fort; wenn er verschoben wurde, fahren Sie mit --resume und seinem neuen Ort fort</translation>
    </message>
    <message>
      <source>the separator must be a comma, not a semicolon; save the table as comma-separated</source>
      <translation>das Trennzeichen muss ein Komma sein, kein Semikolon; speichern Sie die Tabelle mit Kommas als Trennzeichen</translation>
    </message>
    <message>
      <source>the separator must be a comma, not a tab; save the table as comma-separated</source>
      <translation>das Trennzeichen muss ein Komma sein, kein Tabulator; speichern Sie die Tabelle mit Kommas als Trennzeichen</translation>
    </message>
    <message>
      <source>the server sent an incomplete listing of the files; try again later</source>
      <translation>der Server hat eine unvollständige Dateiliste gesendet; versuchen Sie es später erneut</translation>
    </message>
    <message>
      <source>the server sent something that is no listing of files; update FKD Desktop</source>
      <translation>der Server hat etwas gesendet, das keine Dateiliste ist; aktualisieren Sie FKD Desktop</translation>
    </message>
    <message>
      <source>the server's listing lacks the {split} data; the data set has moved: update FKD Desktop</source>
      <translation>in der Liste des Servers fehlen die Daten für {split}; der Datensatz ist umgezogen: Aktualisieren Sie FKD Desktop</translation>
    </message>
    <message>
      <source>the server's listing names {what}, so nothing was fetched; report this to FKD Desktop</source>
      <translation>die Liste des Servers nennt {what}, deshalb wurde nichts heruntergeladen; melden Sie dies an FKD Desktop</translation>
    </message>
    <message>
      <source>the source</source>
      <translation>die Quelle</translation>
    </message>
    <message>
      <source>the start menu</source>
      <translation>das Startmenü</translation>
    </message>
    <message>
      <source>the trainer cannot be started ({reason}); free some space or memory first</source>
      <translation>der Trainer lässt sich nicht starten ({reason}); schaffen Sie zuerst Platz oder Speicher</translation>
    </message>
    <message>
      <source>the training process crashed ({signal_name}); its last lines and the log say more</source>
      <translation>der Trainingsprozess ist abgestürzt ({signal_name}); seine letzten Zeilen und das Protokoll sagen mehr</translation>
    </message>
    <message>
      <source>the training process ended unexpectedly (exit code {code}); its last lines and the log say more</source>
      <translation>der Trainingsprozess endete unerwartet (Exit-Code {code}); seine letzten Zeilen und das Protokoll sagen mehr</translation>
    </message>
    <message>
      <source>the training process was killed from outside; when nobody did that, the computer ran out of memory: choose a smaller batch size or network</source>
      <translation>der Trainingsprozess wurde von außen beendet; wenn das niemand war, ging dem Computer der Speicher aus: Wählen Sie eine kleinere Batchgröße oder ein kleineres Netz</translation>
    </message>
    <message>
      <source>the virtual camera does not work ({reason}); see in its dialog what it needs</source>
      <translation>die virtuelle Kamera funktioniert nicht ({reason}); was sie braucht, steht in ihrem Dialog</translation>
    </message>
    <message>
      <source>the virtual camera needs the package pyvirtualcam ({reason}); install it as its dialog explains</source>
      <translation>die virtuelle Kamera braucht das Paket pyvirtualcam ({reason}); installieren Sie es, wie ihr Dialog es erklärt</translation>
    </message>
    <message>
      <source>the weights to compare with, {old}, are gone; choose others</source>
      <translation>die Gewichte zum Vergleichen, {old}, sind fort; wählen Sie andere</translation>
    </message>
    <message>
      <source>the weights were trained with another, so on the same data set they have seen some of the people that are now kept aside, and the NME looks better than it is</source>
      <translation>die Gewichte wurden mit einem anderen trainiert; beim selben Datensatz haben sie also einige der Personen gesehen, die jetzt zurückgehalten werden, und der NME sieht besser aus, als er ist</translation>
    </message>
    <message>
      <source>the weights {source} are gone; refresh the list of runs</source>
      <translation>die Gewichte {source} sind fort; aktualisieren Sie die Liste der Läufe</translation>
    </message>
    <message>
      <source>the {network} network has no layer {layer!r}; choose one of {names}</source>
      <translation>das Netz {network} hat keine Schicht {layer!r}; wählen Sie eine von {names}</translation>
    </message>
    <message>
      <source>the {network} network never runs its layer {layer}; choose another</source>
      <translation>das Netz {network} führt seine Schicht {layer} nie aus; wählen Sie eine andere</translation>
    </message>
    <message>
      <source>there are no shipped weights to compare with: {error}</source>
      <translation>es gibt keine mitgelieferten Gewichte zum Vergleichen: {error}</translation>
    </message>
    <message>
      <source>there are no shipped weights: {error}</source>
      <translation>es gibt keine mitgelieferten Gewichte: {error}</translation>
    </message>
    <message>
      <source>there is an overlay {folder} already; choose another name</source>
      <translation>eine Einblendung {folder} gibt es schon; wählen Sie einen anderen Namen</translation>
    </message>
    <message>
      <source>there is no camera {number}; plug one in and retry, or choose another source</source>
      <translation>es gibt keine Kamera {number}; schließen Sie eine an und versuchen Sie es erneut, oder wählen Sie eine andere Quelle</translation>
    </message>
    <message>
      <source>there is no face to draw: no label of {root} can be used</source>
      <translation>es gibt kein Gesicht zum Zeichnen: Keine Annotation von {root} ist brauchbar</translation>
    </message>
    <message>
      <source>there is no file {path}; check the path or choose another file</source>
      <translation>es gibt keine Datei {path}; prüfen Sie den Pfad oder wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>there is no folder for overlays of your own; choose one</source>
      <translation>es gibt keinen Ordner für eigene Einblendungen; wählen Sie einen</translation>
    </message>
    <message>
      <source>there is no folder {root}; give the folder of a data set</source>
      <translation>es gibt keinen Ordner {root}; geben Sie den Ordner eines Datensatzes an</translation>
    </message>
    <message>
      <source>there is no image {name!r} in {folder}</source>
      <translation>in {folder} gibt es kein Bild {name!r}</translation>
    </message>
    <message>
      <source>there is no image {stem} ({suffixes} ...) beside it</source>
      <translation>daneben gibt es kein Bild {stem} ({suffixes} ...)</translation>
    </message>
    <message>
      <source>there is no overlay {name}; choose from {names}, or give the folder of one</source>
      <translation>es gibt keine Einblendung {name}; wählen Sie aus {names} oder geben Sie den Ordner einer anderen an</translation>
    </message>
    <message>
      <source>there is no picture or video in {path} or below; choose another folder</source>
      <translation>in {path} und darunter gibt es kein Bild oder Video; wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
      <source>there is no picture to keep; start the session and retry</source>
      <translation>es gibt kein Bild zu speichern; starten Sie die Sitzung und versuchen Sie es erneut</translation>
    </message>
    <message>
      <source>there is no run in {folder} (no {file}); choose a folder that training wrote</source>
      <translation>in {folder} gibt es keinen Lauf ({file} fehlt); wählen Sie einen Ordner, den das Training geschrieben hat</translation>
    </message>
    <message>
      <source>there is no weights file {path}; check the path or choose another file</source>
      <translation>es gibt keine Gewichtsdatei {path}; prüfen Sie den Pfad oder wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>there is no weights file {path}; choose another</source>
      <translation>es gibt keine Gewichtsdatei {path}; wählen Sie eine andere</translation>
    </message>
    <message>
      <source>there is no {path}; give the folder that holds it and the folder {split}</source>
      <translation>es gibt kein {path}; geben Sie den Ordner an, der es und den Ordner {split} enthält</translation>
    </message>
    <message>
      <source>these weights are of the network {title}, not of {network}</source>
      <translation>diese Gewichte gehören zum Netz {title}, nicht zu {network}</translation>
    </message>
    <message>
      <source>this computer has {processors} processor cores: more threads only get in each other's way</source>
      <translation>dieser Computer hat {processors} Prozessorkerne: Mehr Threads stehen einander nur im Weg</translation>
    </message>
    <message>
      <source>this is not an address of a stream; write one like rtsp://host/path or http://host/video</source>
      <translation>dies ist keine Adresse eines Streams; schreiben Sie eine wie rtsp://host/pfad oder http://host/video</translation>
    </message>
    <message>
      <source>trained weights need less: {epochs} epochs at {rate:g} refined the teachers of the shipped ones</source>
      <translation>trainierte Gewichte brauchen weniger: {epochs} Epochen mit {rate:g} verfeinerten die Lehrer der mitgelieferten</translation>
    </message>
    <message>
      <source>training ended with an unexpected error ({name}: {error})</source>
      <translation>das Training endete mit einem unerwarteten Fehler ({name}: {error})</translation>
    </message>
    <message>
      <source>two files whose names differ in nothing but case</source>
      <translation>zwei Dateien, deren Namen sich nur in Groß- und Kleinschreibung unterscheiden</translation>
    </message>
    <message>
      <source>undo the known shift of the published data set's labels</source>
      <translation>die bekannte Verschiebung in den Annotationen des veröffentlichten Datensatzes aufheben</translation>
    </message>
    <message>
      <source>weight of the teacher's keypoints against the labels</source>
      <translation>Gewicht der Schlüsselpunkte des Lehrers gegenüber den Annotationen</translation>
    </message>
    <message>
      <source>weights to start from; empty: fresh weights</source>
      <translation>Gewichte, von denen das Training ausgeht; leer: frische Gewichte</translation>
    </message>
    <message>
      <source>weights, separated by commas, whose predictions smooth the labels' noise; empty: the labels as they are</source>
      <translation>Gewichte, durch Kommas getrennt, deren Vorhersagen das Rauschen der Annotationen glätten; leer: die Annotationen, wie sie sind</translation>
    </message>
    <message>
      <source>what arrived is not what was listed</source>
      <translation>was ankam, ist nicht, was in der Liste stand</translation>
    </message>
    <message>
      <source>where to train</source>
      <translation>wo trainiert wird</translation>
    </message>
    <message>
      <source>without them the network does not learn how sure it is of a face</source>
      <translation>ohne sie lernt das Netz nicht, wie sicher es sich eines Gesichts ist</translation>
    </message>
    <message>
      <source>writing the table</source>
      <translation>Schreiben der Tabelle</translation>
    </message>
    <message>
      <source>writing {path} failed ({reason}) and what came before is kept; free some space or choose another place</source>
      <translation>{path} konnte nicht weiter geschrieben werden ({reason}), was davor kam, bleibt erhalten; schaffen Sie Platz oder wählen Sie einen anderen Ort</translation>
    </message>
    <message>
      <source>writing {path} failed ({reason}); free some space or choose another place</source>
      <translation>{path} konnte nicht geschrieben werden ({reason}); schaffen Sie Platz oder wählen Sie einen anderen Ort</translation>
    </message>
    <message>
      <source>you are not allowed to use {name}; ask your administrator to put you into the group “video”, log in again, or choose another source</source>
      <translation>Sie dürfen {name} nicht verwenden; bitten Sie Ihren Administrator, Sie in die Gruppe „video“ aufzunehmen, melden Sie sich neu an, oder wählen Sie eine andere Quelle</translation>
    </message>
    <message>
      <source>{axis} of keypoint {number} is {cell}, not a number of pixels</source>
      <translation>{axis} von Schlüsselpunkt {number} ist {cell}, keine Zahl von Pixeln</translation>
    </message>
    <message>
      <source>{by} better</source>
      <translation>{by} besser</translation>
    </message>
    <message>
      <source>{by} worse</source>
      <translation>{by} schlechter</translation>
    </message>
    <message>
      <source>{count:,} training labels of the data set cannot be used; download the data set again, which repairs it, or leave them out</source>
      <translation>{count:,} Annotationen des Trainingsteils sind unbrauchbar; laden Sie den Datensatz noch einmal herunter, was sie repariert, oder lassen Sie sie weg</translation>
    </message>
    <message>
      <source>{count:,} training labels of the data set cannot be used; repair them, or leave them out</source>
      <translation>{count:,} Annotationen des Trainingsteils sind unbrauchbar; reparieren Sie sie oder lassen Sie sie weg</translation>
    </message>
    <message>
      <source>{count} of its {total} identities are in training too; a figure on it says little about new people</source>
      <translation>{count} von {total} Personen darin sind auch im Trainingsteil; eine Zahl dazu sagt wenig über neue Personen</translation>
    </message>
    <message>
      <source>{data} has {faces} faces to train on where the run had {before}; give the run's own data with --data, or start a new run from its weights with --finetune</source>
      <translation>{data} enthält {faces} Gesichter zum Trainieren, der Lauf hatte {before}; geben Sie mit --data seine eigenen Daten an, oder starten Sie mit --finetune einen neuen Lauf von seinen Gewichten aus</translation>
    </message>
    <message>
      <source>{device} has no memory left for {layer}; close other programs</source>
      <translation>{device} hat keinen Speicher mehr für {layer}; schließen Sie andere Programme</translation>
    </message>
    <message>
      <source>{failed:,} faces were not judged: their images cannot be read</source>
      <translation>{failed:,} Gesichter wurden nicht beurteilt: Ihre Bilder sind nicht lesbar</translation>
    </message>
    <message>
      <source>{file}, line {line}</source>
      <translation>{file}, Zeile {line}</translation>
    </message>
    <message>
      <source>{file}: {reason}</source>
      <translation>{file}: {reason}</translation>
    </message>
    <message>
      <source>{finetune} holds a {name} network, not {model}; choose --model {name}</source>
      <translation>{finetune} enthält ein Netz {name}, nicht {model}; wählen Sie --model {name}</translation>
    </message>
    <message>
      <source>{folder} is not one of your own overlays; choose one that is</source>
      <translation>{folder} ist keine Ihrer eigenen Einblendungen; wählen Sie eine davon</translation>
    </message>
    <message>
      <source>{folder} is there already; choose another name for the run</source>
      <translation>{folder} gibt es schon; wählen Sie einen anderen Namen für den Lauf</translation>
    </message>
    <message>
      <source>{found}; a row is a file name, then x and y of {keypoints} keypoints</source>
      <translation>{found}; eine Zeile besteht aus einem Dateinamen, dann x und y von {keypoints} Schlüsselpunkten</translation>
    </message>
    <message>
      <source>{host} answered with HTTP {status}</source>
      <translation>{host} antwortete mit HTTP {status}</translation>
    </message>
    <message>
      <source>{host} broke off</source>
      <translation>{host} brach ab</translation>
    </message>
    <message>
      <source>{host} broke off the secure connection, or has none</source>
      <translation>{host} brach die sichere Verbindung ab oder hat keine</translation>
    </message>
    <message>
      <source>{host} cannot be reached, or answers nonsense</source>
      <translation>{host} ist nicht erreichbar oder antwortet Unsinn</translation>
    </message>
    <message>
      <source>{host} cannot prove that it is {host}, so nothing was fetched; check this computer's clock, and whether a proxy or a virus scanner stands between</source>
      <translation>{host} kann nicht beweisen, dass es {host} ist, deshalb wurde nichts heruntergeladen; prüfen Sie die Uhr dieses Computers, und ob ein Proxy oder Virenscanner dazwischensteht</translation>
    </message>
    <message>
      <source>{host} did not answer within {seconds:g} s</source>
      <translation>{host} antwortete nicht innerhalb von {seconds:g} s</translation>
    </message>
    <message>
      <source>{host} is busy or allows this network no more requests (HTTP {status}) for {wait}; after that, {goes_on}</source>
      <translation>{host} ist ausgelastet oder lässt aus diesem Netzwerk {wait} lang keine Anfragen mehr zu (HTTP {status}); danach: {goes_on}</translation>
    </message>
    <message>
      <source>{host} redirects to {to!a}, which is not followed; the data set has moved: update FKD Desktop</source>
      <translation>{host} leitet weiter nach {to!a}, dem wird nicht gefolgt; der Datensatz ist umgezogen: Aktualisieren Sie FKD Desktop</translation>
    </message>
    <message>
      <source>{host} refuses (HTTP {status}); try again later or in another network</source>
      <translation>{host} weigert sich (HTTP {status}); versuchen Sie es später oder in einem anderen Netzwerk erneut</translation>
    </message>
    <message>
      <source>{host} sends too slowly</source>
      <translation>{host} sendet zu langsam</translation>
    </message>
    <message>
      <source>{host} sent a compressed answer unasked; try again in another network</source>
      <translation>{host} hat ungefragt eine komprimierte Antwort gesendet; versuchen Sie es in einem anderen Netzwerk erneut</translation>
    </message>
    <message>
      <source>{host} sent more than {limit:,} bytes</source>
      <translation>{host} hat mehr als {limit:,} Bytes gesendet</translation>
    </message>
    <message>
      <source>{host} stopped sending for {seconds:g} s</source>
      <translation>{host} sendete {seconds:g} s lang nichts mehr</translation>
    </message>
    <message>
      <source>{hours} h</source>
      <translation>{hours} h</translation>
    </message>
    <message>
      <source>{hours} h {minutes} min</source>
      <translation>{hours} h {minutes} min</translation>
    </message>
    <message>
      <source>{images:,} pictures are in {folder}; they are not part of FKD Desktop and stay under their own terms</source>
      <translation>{images:,} Bilder sind in {folder}; sie gehören nicht zu FKD Desktop und stehen unter ihren eigenen Bedingungen</translation>
    </message>
    <message>
      <source>{kind}, stride {stride}</source>
      <translation>{kind}, Schritt {stride}</translation>
    </message>
    <message>
      <source>{millions:.0f} M parameters</source>
      <translation>{millions:.0f} Mio. Parameter</translation>
    </message>
    <message>
      <source>{millions:.1f} M parameters</source>
      <translation>{millions:.1f} Mio. Parameter</translation>
    </message>
    <message>
      <source>{minutes} min</source>
      <translation>{minutes} min</translation>
    </message>
    <message>
      <source>{model} ({parameters:,} parameters)</source>
      <translation>{model} ({parameters:,} Parameter)</translation>
    </message>
    <message>
      <source>{more} more cannot be used either, and </source>
      <translation>{more} weitere sind ebenfalls unbrauchbar, und </translation>
    </message>
    <message>
      <source>{name!r} leads out of the folder of the images; names are relative to {folder}</source>
      <translation>{name!r} führt aus dem Ordner der Bilder hinaus; Namen sind relativ zu {folder}</translation>
    </message>
    <message>
      <source>{name} answers but has no stream there; check what stands behind the host in the address</source>
      <translation>{name} antwortet, hat dort aber keinen Stream; prüfen Sie, was in der Adresse hinter dem Host steht</translation>
    </message>
    <message>
      <source>{name} answers with something that is not a video; check the address, the camera's manual tells it</source>
      <translation>{name} antwortet mit etwas, das kein Video ist; prüfen Sie die Adresse, sie steht im Handbuch der Kamera</translation>
    </message>
    <message>
      <source>{name} cannot be opened; close other programs that may use it, and check that the system's privacy settings allow it</source>
      <translation>{name} lässt sich nicht öffnen; schließen Sie andere Programme, die sie verwenden könnten, und prüfen Sie, ob die Datenschutzeinstellungen des Systems es erlauben</translation>
    </message>
    <message>
      <source>{name} cannot be read ({reason}); see the log</source>
      <translation>{name} ist nicht lesbar ({reason}); siehe Protokoll</translation>
    </message>
    <message>
      <source>{name} does not answer; check the address, that the camera is switched on and that this computer is in its network</source>
      <translation>{name} antwortet nicht; prüfen Sie die Adresse, ob die Kamera eingeschaltet ist und ob dieser Computer in ihrem Netzwerk ist</translation>
    </message>
    <message>
      <source>{name} does not answer; unplug it and plug it in again, or choose another source</source>
      <translation>{name} antwortet nicht; ziehen Sie den Stecker und stecken Sie ihn wieder ein, oder wählen Sie eine andere Quelle</translation>
    </message>
    <message>
      <source>{name} failed unexpectedly ({error}); check what is said above</source>
      <translation>{name} ist unerwartet gescheitert ({error}); lesen Sie, was darüber steht</translation>
    </message>
    <message>
      <source>{name} has no end and cannot be worked through; record it in the window, then give the file</source>
      <translation>{name} hat kein Ende und lässt sich nicht durcharbeiten; nehmen Sie es im Fenster auf und geben Sie dann die Datei an</translation>
    </message>
    <message>
      <source>{name} has sent no pictures for {seconds:.0f} seconds; it is opened again, and if that does not help, check its cable</source>
      <translation>{name} hat seit {seconds:.0f} Sekunden kein Bild gesendet; FKD Desktop öffnet die Quelle erneut; wenn das nicht hilft, prüfen Sie ihr Kabel</translation>
    </message>
    <message>
      <source>{name} has the same pixels as {other} of {place}</source>
      <translation>{name} hat dieselben Pixel wie {other} aus {place}</translation>
    </message>
    <message>
      <source>{name} is 0; nothing would be learned</source>
      <translation>{name} ist 0; nichts würde gelernt</translation>
    </message>
    <message>
      <source>{name} is not connected; plug it in, or choose another source</source>
      <translation>{name} ist nicht angeschlossen; schließen Sie die Kamera an oder wählen Sie eine andere Quelle</translation>
    </message>
    <message>
      <source>{name} is the file that is to be saved; choose another name or folder</source>
      <translation>{name} ist die Datei, die gespeichert werden soll; wählen Sie einen anderen Namen oder Ordner</translation>
    </message>
    <message>
      <source>{name} is the name of a published table; choose another</source>
      <translation>{name} ist der Name einer veröffentlichten Tabelle; wählen Sie einen anderen</translation>
    </message>
    <message>
      <source>{name} is {value!r}; choose one of {choices}</source>
      <translation>{name} ist {value!r}; wählen Sie eins von {choices}</translation>
    </message>
    <message>
      <source>{name} is {value!r}; it must be of type {kind}</source>
      <translation>{name} ist {value!r}; der Typ muss {kind} sein</translation>
    </message>
    <message>
      <source>{name} is {value}; it must be between {minimum} and {maximum}</source>
      <translation>{name} ist {value}; der Wert muss zwischen {minimum} und {maximum} liegen</translation>
    </message>
    <message>
      <source>{name} needs a kind of connection that is not supported; choose an rtsp, http or https address of it</source>
      <translation>{name} braucht eine Art Verbindung, die nicht unterstützt wird; wählen Sie eine rtsp-, http- oder https-Adresse davon</translation>
    </message>
    <message>
      <source>{name} stopped sending pictures; check that it is plugged in, then retry</source>
      <translation>{name} sendet keine Bilder mehr; prüfen Sie, ob die Kamera angeschlossen ist, und versuchen Sie es erneut</translation>
    </message>
    <message>
      <source>{name} stopped sending pictures; check the camera and the network</source>
      <translation>{name} sendet keine Bilder mehr; prüfen Sie die Kamera und das Netzwerk</translation>
    </message>
    <message>
      <source>{name} wants another user name or password; put them into the address, as in rtsp://user:password@host/path</source>
      <translation>{name} verlangt einen anderen Benutzernamen oder ein anderes Passwort; schreiben Sie beides in die Adresse, wie in rtsp://benutzer:passwort@host/pfad</translation>
    </message>
    <message>
      <source>{name} was unplugged; plug it in again, or choose another source</source>
      <translation>{name} wurde getrennt; schließen Sie die Kamera wieder an oder wählen Sie eine andere Quelle</translation>
    </message>
    <message>
      <source>{name}: {problem}</source>
      <translation>{name}: {problem}</translation>
    </message>
    <message>
      <source>{network} cannot tell faces from others: these crops take time and teach nothing</source>
      <translation>{network} kann Gesichter nicht von anderem unterscheiden: Diese Zuschnitte kosten Zeit und lehren nichts</translation>
    </message>
    <message>
      <source>{path!a} of {size:,.0f} MB</source>
      <translation>{path!a} mit {size:,.0f} MB</translation>
    </message>
    <message>
      <source>{path!a} without a proper mode, size or hash</source>
      <translation>{path!a} ohne ordentlichen Modus, Größe oder Prüfsumme</translation>
    </message>
    <message>
      <source>{path} already holds a run; choose another --out, or go on with --resume</source>
      <translation>{path} enthält schon einen Lauf; wählen Sie ein anderes --out oder fahren Sie mit --resume fort</translation>
    </message>
    <message>
      <source>{path} cannot be deleted ({reason}); check who may write there</source>
      <translation>{path} lässt sich nicht löschen ({reason}); prüfen Sie, wer dort schreiben darf</translation>
    </message>
    <message>
      <source>{path} cannot be read ({reason})</source>
      <translation>{path} ist nicht lesbar ({reason})</translation>
    </message>
    <message>
      <source>{path} cannot be read ({reason}); check its permissions</source>
      <translation>{path} ist nicht lesbar ({reason}); prüfen Sie die Zugriffsrechte</translation>
    </message>
    <message>
      <source>{path} cannot be read ({reason}); check the disk</source>
      <translation>{path} ist nicht lesbar ({reason}); prüfen Sie den Datenträger</translation>
    </message>
    <message>
      <source>{path} cannot be read ({reason}); check the path and its permissions</source>
      <translation>{path} ist nicht lesbar ({reason}); prüfen Sie den Pfad und die Zugriffsrechte</translation>
    </message>
    <message>
      <source>{path} cannot be read ({reason}); choose another file</source>
      <translation>{path} ist nicht lesbar ({reason}); wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>{path} cannot be read ({reason}); choose another picture</source>
      <translation>{path} ist nicht lesbar ({reason}); wählen Sie ein anderes Bild</translation>
    </message>
    <message>
      <source>{path} cannot be read or written ({reason}); {way_out}, or choose another folder</source>
      <translation>{path} ist nicht les- oder schreibbar ({reason}); {way_out}, oder wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
      <source>{path} cannot be removed ({reason}); check the permissions of the folder</source>
      <translation>{path} kann nicht entfernt werden ({reason}); prüfen Sie die Rechte des Ordners</translation>
    </message>
    <message>
      <source>{path} cannot be used ({error}); train into a new folder</source>
      <translation>{path} ist nicht verwendbar ({error}); trainieren Sie in einen neuen Ordner</translation>
    </message>
    <message>
      <source>{path} cannot be written ({reason})</source>
      <translation>{path} lässt sich nicht schreiben ({reason})</translation>
    </message>
    <message>
      <source>{path} cannot be written ({reason}), so the start menu stays as it is; check the folder's permissions</source>
      <translation>{path} kann nicht geschrieben werden ({reason}), das Startmenü bleibt, wie es ist; prüfen Sie die Rechte des Ordners</translation>
    </message>
    <message>
      <source>{path} cannot be written ({reason}); choose another --out</source>
      <translation>{path} lässt sich nicht schreiben ({reason}); wählen Sie ein anderes --out</translation>
    </message>
    <message>
      <source>{path} cannot be written ({reason}); choose another place</source>
      <translation>{path} lässt sich nicht schreiben ({reason}); wählen Sie einen anderen Ort</translation>
    </message>
    <message>
      <source>{path} cannot be written ({reason}); free some space or choose another folder in the preferences</source>
      <translation>{path} lässt sich nicht schreiben ({reason}); schaffen Sie Platz oder wählen Sie in den Einstellungen einen anderen Ordner</translation>
    </message>
    <message>
      <source>{path} cannot be written; make room for temporary files</source>
      <translation>{path} lässt sich nicht schreiben; schaffen Sie Platz für temporäre Dateien</translation>
    </message>
    <message>
      <source>{path} cannot name the images, which are not below its folder; choose a place in {root}</source>
      <translation>{path} kann die Bilder nicht benennen, die nicht unter ihrem Ordner liegen; wählen Sie einen Ort in {root}</translation>
    </message>
    <message>
      <source>{path} could not be written ({reason}); check the disk, then go on with --resume {folder}</source>
      <translation>{path} konnte nicht geschrieben werden ({reason}); prüfen Sie den Datenträger und machen Sie dann weiter mit --resume {folder}</translation>
    </message>
    <message>
      <source>{path} could not be written ({reason}); free some space, then go on with --resume {folder}</source>
      <translation>{path} konnte nicht geschrieben werden ({reason}); schaffen Sie Platz und fahren Sie dann mit --resume {folder} fort</translation>
    </message>
    <message>
      <source>{path} has a damaged header; choose another file</source>
      <translation>{path} hat einen beschädigten Kopf; wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>{path} has format version {version!r}, this program reads {known}; update FKD Desktop</source>
      <translation>{path} hat die Formatversion {version!r}, dieses Programm liest {known}; aktualisieren Sie FKD Desktop</translation>
    </message>
    <message>
      <source>{path} has format {found}; this program reads {known}, update FKD Desktop or mend the file</source>
      <translation>{path} hat das Format {found}; dieses Programm liest {known}, aktualisieren Sie FKD Desktop oder berichtigen Sie die Datei</translation>
    </message>
    <message>
      <source>{path} has no picture that can be read; it is empty, damaged or too large, choose another file</source>
      <translation>{path} hat kein Bild, das gelesen werden kann; die Datei ist leer, beschädigt oder zu groß, wählen Sie eine andere</translation>
    </message>
    <message>
      <source>{path} has {key} of shape {shape_there} where the {name} network has {shape}</source>
      <translation>{path} enthält {key} der Form {shape_there}, wo das Netz {name} {shape} hat</translation>
    </message>
    <message>
      <source>{path} has {unknown}, which the {name} network does not; it is of another version</source>
      <translation>{path} enthält {unknown}, was das Netz {name} nicht hat; die Datei gehört zu einer anderen Version</translation>
    </message>
    <message>
      <source>{path} holds values that are not numbers (in {key}); training went wrong there</source>
      <translation>{path} enthält Werte, die keine Zahlen sind (in {key}); dort ging das Training schief</translation>
    </message>
    <message>
      <source>{path} holds weights of some other program; choose weights that FKD's trainer saved</source>
      <translation>{path} enthält Gewichte eines anderen Programms; wählen Sie Gewichte, die der Trainer von FKD gespeichert hat</translation>
    </message>
    <message>
      <source>{path} holds weights of some other program; choose weights that were trained here</source>
      <translation>{path} enthält Gewichte eines anderen Programms; wählen Sie Gewichte, die hier trainiert wurden</translation>
    </message>
    <message>
      <source>{path} is a PyTorch pickle, which can run any code when opened; if you trust it, convert it to {suffix}: load it with torch.load and save its network with save_checkpoint of trainer.core.checkpoint</source>
      <translation>{path} ist ein Pickle von PyTorch, das beim Öffnen beliebigen Code ausführen kann; wenn Sie ihm vertrauen, wandeln Sie es in {suffix} um: laden Sie es mit torch.load und speichern Sie sein Netz mit save_checkpoint von trainer.core.checkpoint</translation>
    </message>
    <message>
      <source>{path} is a folder, not a weights file; choose a {suffix} file</source>
      <translation>{path} ist ein Ordner, keine Gewichtsdatei; wählen Sie eine {suffix}-Datei</translation>
    </message>
    <message>
      <source>{path} is a folder; choose a .safetensors file</source>
      <translation>{path} ist ein Ordner; wählen Sie eine .safetensors-Datei</translation>
    </message>
    <message>
      <source>{path} is cut off after {there} of its {expected} seconds; the rest is lost, so get the file again for all of it</source>
      <translation>{path} bricht nach {there} von {expected} Sekunden ab; der Rest ist verloren, besorgen Sie für das Ganze die Datei noch einmal</translation>
    </message>
    <message>
      <source>{path} is damaged or not a safetensors file ({error}); choose another file</source>
      <translation>{path} ist beschädigt oder keine safetensors-Datei ({error}); wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>{path} is damaged or not a safetensors file; choose another</source>
      <translation>{path} ist beschädigt oder keine safetensors-Datei; wählen Sie eine andere</translation>
    </message>
    <message>
      <source>{path} is damaged, or of another network or version; start a new run from the run's best weights with --finetune</source>
      <translation>{path} ist beschädigt oder gehört zu einem anderen Netz oder einer anderen Version; starten Sie mit --finetune einen neuen Lauf von den besten Gewichten des Laufs aus</translation>
    </message>
    <message>
      <source>{path} is empty; choose another file</source>
      <translation>{path} ist leer; wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>{path} is larger than 100 MB; make the picture smaller and choose it again</source>
      <translation>{path} ist größer als 100 MB; verkleinern Sie das Bild und wählen Sie es erneut</translation>
    </message>
    <message>
      <source>{path} is longer than any description of an overlay; mend it</source>
      <translation>{path} ist länger als jede Beschreibung einer Einblendung; berichtigen Sie sie</translation>
    </message>
    <message>
      <source>{path} is neither a folder nor a CSV table; give the folder of a data set</source>
      <translation>{path} ist weder ein Ordner noch eine CSV-Tabelle; geben Sie den Ordner eines Datensatzes an</translation>
    </message>
    <message>
      <source>{path} is no SVG drawing that can be read; choose another picture</source>
      <translation>{path} ist keine lesbare SVG-Zeichnung; wählen Sie ein anderes Bild</translation>
    </message>
    <message>
      <source>{path} is no name that a file can have; choose a picture</source>
      <translation>{path} ist kein Name, den eine Datei haben kann; wählen Sie ein Bild</translation>
    </message>
    <message>
      <source>{path} is no path that a start menu can hold, as it is not UTF-8; rename the folder</source>
      <translation>{path} ist kein UTF-8 und passt in kein Startmenü; benennen Sie den Ordner um</translation>
    </message>
    <message>
      <source>{path} is no picture that can be read ({reason}); choose a PNG or SVG picture</source>
      <translation>{path} ist kein lesbares Bild ({reason}); wählen Sie ein PNG- oder SVG-Bild</translation>
    </message>
    <message>
      <source>{path} is not a file; choose a PNG or SVG picture</source>
      <translation>{path} ist keine Datei; wählen Sie ein PNG- oder SVG-Bild</translation>
    </message>
    <message>
      <source>{path} is not a file; choose a video or a picture</source>
      <translation>{path} ist keine Datei; wählen Sie ein Video oder ein Bild</translation>
    </message>
    <message>
      <source>{path} is not a picture that can be read, or is damaged; choose another file</source>
      <translation>{path} ist kein lesbares Bild oder beschädigt; wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>{path} is not a video or picture that can be read, or is damaged; choose another file</source>
      <translation>{path} ist kein lesbares Video oder Bild oder beschädigt; wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>{path} is not an image that can be decoded</source>
      <translation>{path} ist kein Bild, das sich dekodieren lässt</translation>
    </message>
    <message>
      <source>{path} is not the published file and would be overwritten; choose another folder, or move it away</source>
      <translation>{path} ist nicht die veröffentlichte Datei und würde überschrieben; wählen Sie einen anderen Ordner oder verschieben Sie sie</translation>
    </message>
    <message>
      <source>{path} is not written: no face of {root} can be trained on</source>
      <translation>{path} wurde nicht geschrieben: Mit keinem Gesicht von {root} lässt sich trainieren</translation>
    </message>
    <message>
      <source>{path} is of a network called {name!r}; this program knows {names}</source>
      <translation>{path} gehört zu einem Netz namens {name!r}; dieses Programm kennt {names}</translation>
    </message>
    <message>
      <source>{path} is of another version of this program; choose another file</source>
      <translation>{path} gehört zu einer anderen Version dieses Programms; wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>{path} is smaller than 2 x 2 pixels; choose a larger picture</source>
      <translation>{path} ist kleiner als 2 × 2 Pixel; wählen Sie ein größeres Bild</translation>
    </message>
    <message>
      <source>{path} is the table that was checked; choose another name, so that no row is lost</source>
      <translation>{path} ist die geprüfte Tabelle; wählen Sie einen anderen Namen, damit keine Zeile verloren geht</translation>
    </message>
    <message>
      <source>{path} is there already and was not made by FKD Desktop; move it away, then try again</source>
      <translation>{path} gibt es schon und stammt nicht von FKD Desktop; verschieben Sie es und versuchen Sie es noch einmal</translation>
    </message>
    <message>
      <source>{path} is there already; choose another folder by --out, or give --overwrite</source>
      <translation>{path} gibt es schon; wählen Sie mit --out einen anderen Ordner oder geben Sie --overwrite an</translation>
    </message>
    <message>
      <source>{path} is there already; choose another name, or write over it</source>
      <translation>{path} gibt es schon; wählen Sie einen anderen Namen oder überschreiben Sie die Datei</translation>
    </message>
    <message>
      <source>{path} is too large a picture; choose one of at most {limit} megapixels</source>
      <translation>{path} ist als Bild zu groß; wählen Sie eins mit höchstens {limit} Megapixeln</translation>
    </message>
    <message>
      <source>{path} is too large a picture; make it smaller than {limit} megapixels</source>
      <translation>{path} ist ein zu großes Bild; machen Sie es kleiner als {limit} Megapixel</translation>
    </message>
    <message>
      <source>{path} is too long for a shortcut; move FKD Desktop to a folder with a shorter path</source>
      <translation>{path} ist zu lang für eine Verknüpfung; verschieben Sie FKD Desktop in einen Ordner mit kürzerem Pfad</translation>
    </message>
    <message>
      <source>{path} is wholly transparent; choose a picture that shows something</source>
      <translation>{path} ist ganz durchsichtig; wählen Sie ein Bild, das etwas zeigt</translation>
    </message>
    <message>
      <source>{path} lacks {missing} of the {name} network; it is of another version or damaged</source>
      <translation>in {path} fehlt {missing} des Netzes {name}; die Datei gehört zu einer anderen Version oder ist beschädigt</translation>
    </message>
    <message>
      <source>{path} needs either [[pictures]] or an [effect]; give it one of them</source>
      <translation>{path} braucht entweder [[pictures]] oder einen [effect]; geben Sie eins davon an</translation>
    </message>
    <message>
      <source>{path} stores {key} as {dtype}, expected {expected}; choose another file</source>
      <translation>{path} speichert {key} als {dtype}, erwartet wird {expected}; wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>{path} stores {key} as {dtype}, not as floating point; choose another file</source>
      <translation>{path} speichert {key} als {dtype}, nicht als Gleitkommazahlen; wählen Sie eine andere Datei</translation>
    </message>
    <message>
      <source>{python} finds FKD Desktop only in this folder, so a start menu could not start it; start it with start.py, or install it with pip</source>
      <translation>{python} findet FKD Desktop nur in diesem Ordner, ein Startmenü könnte es nicht starten; starten Sie es mit start.py oder installieren Sie es mit pip</translation>
    </message>
    <message>
      <source>{root} has no test split; choose its training split, of which every run keeps some people aside</source>
      <translation>{root} hat keinen Testteil; wählen Sie den Trainingsteil, von dem jeder Lauf einige Personen zurückhält</translation>
    </message>
    <message>
      <source>{root} has {free:,.0f} MB left and the download needs {needed:,.0f} MB; free some space, or choose another folder</source>
      <translation>{root} hat noch {free:,.0f} MB frei, und das Herunterladen braucht {needed:,.0f} MB; schaffen Sie Platz oder wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
      <source>{root} holds images but no labels; add a CSV table (name, x0, y0, ... x67, y67) or .pts files beside them</source>
      <translation>{root} enthält Bilder, aber keine Annotationen; legen Sie eine CSV-Tabelle (name, x0, y0, ... x67, y67) oder .pts-Dateien dazu</translation>
    </message>
    <message>
      <source>{root} holds neither images nor labels; give the folder of a data set</source>
      <translation>{root} enthält weder Bilder noch Annotationen; geben Sie den Ordner eines Datensatzes an</translation>
    </message>
    <message>
      <source>{root} holds no labels itself; give its folder {name}, which does</source>
      <translation>{root} enthält selbst keine Annotationen; geben Sie den Ordner {name} darin an, der welche hat</translation>
    </message>
    <message>
      <source>{root} holds {value}{names}; give the path of the table that is meant</source>
      <translation>{root} enthält {value}{names}; geben Sie den Pfad der gemeinten Tabelle an</translation>
    </message>
    <message>
      <source>{seconds} s</source>
      <translation>{seconds} s</translation>
    </message>
    <message>
      <source>{sentence}; {free:.1f} GB are free here</source>
      <translation>{sentence}; {free:.1f} GB sind hier frei</translation>
    </message>
    <message>
      <source>{table} has no rows, so the published data set is of no use; look for another one</source>
      <translation>{table} hat keine Zeilen, deshalb ist der veröffentlichte Datensatz unbrauchbar; suchen Sie einen anderen</translation>
    </message>
    <message>
      <source>{table} or its pictures cannot be read ({error}); run the download again</source>
      <translation>{table} oder die Bilder dazu sind nicht lesbar ({error}); starten Sie das Herunterladen erneut</translation>
    </message>
    <message>
      <source>{target} could not be written ({reason}); choose another folder, or free some space</source>
      <translation>{target} konnte nicht geschrieben werden ({reason}); wählen Sie einen anderen Ordner oder schaffen Sie Platz</translation>
    </message>
    <message>
      <source>{title} (default, {parameters})</source>
      <translation>{title} (Standard, {parameters})</translation>
    </message>
    <message>
      <source>{title} (published, {parameters})</source>
      <translation>{title} (veröffentlicht, {parameters})</translation>
    </message>
    <message>
      <source>{title} ({parameters}, slower)</source>
      <translation>{title} ({parameters}, langsamer)</translation>
    </message>
    <message>
      <source>{url} is not an https address; nothing is fetched over an open connection</source>
      <translation>{url} ist keine https-Adresse; über eine offene Verbindung wird nichts heruntergeladen</translation>
    </message>
    <message>
      <source>{url} is not there (HTTP {status}); the data set has moved: update FKD Desktop</source>
      <translation>{url} ist nicht da (HTTP {status}); der Datensatz ist umgezogen: Aktualisieren Sie FKD Desktop</translation>
    </message>
    <message>
      <source>{what} could not be fetched in {attempts} attempts ({last}); check the connection and {goes_on}</source>
      <translation>{what} konnte in {attempts} Versuchen nicht heruntergeladen werden ({last}); prüfen Sie die Verbindung, dann: {goes_on}</translation>
    </message>
    <message>
      <source>{where}: {reason}</source>
      <translation>{where}: {reason}</translation>
    </message>
    <message>
      <source>{where}: {reason} (and none of the {more} others can be used)</source>
      <translation>{where}: {reason} (und keine der {more} anderen ist brauchbar)</translation>
    </message>
    <message>
      <source>{where}: {reason} ({others}fkd-train check DATA --fix OUT.csv writes the good rows)</source>
      <translation>{where}: {reason} ({others}fkd-train check DATEN --fix AUS.csv schreibt die brauchbaren Zeilen)</translation>
    </message>
    <message>
      <source>{word!r} is not a number</source>
      <translation>{word!r} ist keine Zahl</translation>
    </message>
    <message>
      <source>{wrong!r} is not x and y of a keypoint</source>
      <translation>{wrong!r} ist nicht x und y eines Schlüsselpunkts</translation>
    </message>
  </context>
  <context>
    <name>save_weights</name>
    <message>
      <source>Save weights</source>
      <translation>Gewichte speichern</translation>
    </message>
    <message>
      <source>Weights (*.safetensors)</source>
      <translation>Gewichte (*.safetensors)</translation>
    </message>
  </context>
</TS>
