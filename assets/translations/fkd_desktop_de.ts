<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
  <context>
    <name>AboutDialog</name>
    <message>
      <source>&amp;Credits</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Devices</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Licences</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Versions</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>About FKD Desktop</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy diagnostics</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Faces are found with the Haar cascades that OpenCV brings (P. Viola, M. Jones, 2001).</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Keypoints are steadied with the 1€ filter (G. Casiez, N. Roussel, D. Vogel, CHI 2012).</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Qt and PySide6 are used under the LGPL. The packages' own licence texts lie beside them where they are installed.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Real-time face keypoints. Everything happens on this computer; nothing is sent anywhere.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The demo clip is made from NASA's portrait of Eileen Collins (public domain).</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The shipped network was trained on the facial-keypoint data set of Udacity's computer vision course, drawn from YouTube Faces (L. Wolf, T. Hassner, I. Maoz, CVPR 2011).</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>unknown</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ActiveList</name>
    <message>
      <source>Nothing is on. Choose an overlay above, or press its number key.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>On the picture, front to back</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Take all off</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ActiveRow</name>
    <message>
      <source>Bring {0} forward</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Drag to move it to the front or back; Up and Down do so too</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Faces that get {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Move {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>On every face, or on one only</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Opacity of {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Send {0} backward</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Take {0} off</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What hides a face is always opaque</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} %</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>AugmentationPanel</name>
    <message>
      <source>&amp;Augmentation</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>A&amp;gain</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Augmentation</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Draw other variants of this face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Full</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Full, as in the last epochs</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>None</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Points</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Random crop</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>BrokenRow</name>
    <message>
      <source>Open folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open the folder of {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Remove {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Remove…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} cannot be used</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>CameraMenu</name>
    <message>
      <source>&amp;Automatic</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Camera</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Size and rate</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cameras</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Looking for cameras…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No camera found</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Now: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Plug one in: it appears here by itself</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Size and rate of the camera's pictures</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The camera takes the nearest that it has</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} (not connected)</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>CameraMode</name>
    <message>
      <source>The camera sends fewer pictures than agreed: many do so in a dark room. More light helps.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{mode} ({format})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{size}, {rate}/s</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{width} × {height}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>CaptureActions</name>
    <message numerus="yes">
      <source>%n second(s)</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message>
      <source>&amp;Copy the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Record</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Virtual camera…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Co&amp;untdown</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy the picture with its overlays</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>End the recording and keep it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>None</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open the pictures' &amp;folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open the recordin&amp;gs' folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Record the picture with its overlays</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save ten pictures over two seconds</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save the picture as the camera gives it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save the picture with its overlays</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show the overlays in video calls</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stop &amp;recording</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Take a &amp;burst</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Take a &amp;picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Take a picture &amp;without overlays</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>CaptureSurface</name>
    <message numerus="yes">
      <source>%n picture(s) saved</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message>
      <source>Picture copied</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Picture saved</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Recording saved</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Taking pictures: {0} of {1}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>CaptureThread</name>
    <message>
      <source>the live session failed ({0}); start it again, details are in the log</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Commands</name>
    <message>
      <source>&amp;About FKD Desktop</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Browse a data set…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Camera</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Capture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Copy diagnostics</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Demo clip</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Fullscreen</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Help</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;High</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Inspect the network…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Keyboard shortcuts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Low</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Mirror</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Nothing</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Off</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Open video or image…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Overlays</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Pause</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Play</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Playback</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Preferences…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Quit</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Retry</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Session</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Smoothing</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Start</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Stop</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Train a network…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;View</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Zoom</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>As still as can be; quick motion lags a little</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cancel</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose how things are</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose, order and make overlays</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Do not open it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Every measurement as it is</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Export &amp;landmarks…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Find faces with the network that came with FKD Desktop</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Hold the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Leave fullscreen</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Look at what networks learn from</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Nothing but the picture (F11, Esc leaves)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open a &amp;folder of pictures…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open a network &amp;address…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open the &amp;log</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open the same source again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Play on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Put versions, devices and the last log lines on the clipboard</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>S&amp;top and let go</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>See what the network sees</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show a network camera or a stream</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show a video or a picture from a file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show the built-in clip</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show the camera that was used last</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show the file with what happened lately</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show the picture as in a mirror</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show the pictures of a folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show the plain picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Source</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Start the live session</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Still on a still face, no lag on a moving one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stop the live session</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stop, and let go of the camera or file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Toolbar</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Train a network on your own pictures</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Try the demo clip</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Use the shipped network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where the picture comes from</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Write the keypoints to tables, live or from a file</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ComparisonSheets</name>
    <message>
      <source>Faces with old and new keypoints</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Most improved</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Most worsened</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Typical</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>predicted</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>true</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ComparisonTable</name>
    <message>
      <source>AUC to 8 %</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Change</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Faces over 10 %</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Figures of the old and the new weights</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Mean NME</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Median NME</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>NME of the jaw</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>New</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Old</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} network
{1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>… the brows</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>… the eyes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>… the mouth</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>… the nose</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ComparisonView</name>
    <message>
      <source>Cancel</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose one of the past runs: its weights and those in use are judged on the same faces, of people that the run kept aside.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Comparing {0}…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Keep the old ones</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Nothing was compared yet</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Of {0} faces {1} are better, {2} about the same and {3} worse.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading the data set…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save as…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Saved as {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The live session takes over the new weights.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The live session uses the new weights now.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The old weights stay in use. The new ones are kept with their run.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>They cannot be compared</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Try again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Use these weights now</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>better</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>no difference</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>worse</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1} faces</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConfigForm</name>
    <message>
      <source>About {0} at {1:.0f} images/s, as last time.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Advanced</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All settings of this form</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Automatic ({0})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Back to the defaults</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It is not available here.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} changed</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} to correct</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Content</name>
    <message>
      <source>&amp;Face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>As &amp;training sees it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No face matches this choice.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show all faces</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Controller</name>
    <message>
      <source>{0} failed ({1}). The network runs on the CPU from now on.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} sends no pictures at the moment; waiting for it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}. The network runs on the CPU instead.</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>CountdownOverlay</name>
    <message numerus="yes">
      <source>%n second(s)</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message>
      <source>Esc cancels</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>DataDetails</name>
    <message>
      <source>Browse the data set…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Inter-ocular distance</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Leave them out…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Pictures</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Test</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training can start on these faces.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} good to know</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of its faces, as they are labelled</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} px</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} px wide, {1} px high</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>DataNotice</name>
    <message>
      <source>progress</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>DataPanel</name>
    <message>
      <source>A CSV table of keypoints beside its images</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>A table of the {0} good faces of the training split is written into {1} and chosen instead. Your own files stay as they are.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All files</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Asking what there is to fetch…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>CSV tables</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cancel</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Check again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Checking the data set</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose a folder of pictures with their keypoints, or a CSV table, or drop either here. If you have none, the published data set can be downloaded.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose a table of keypoints</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose folder…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose table…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose the folder of a data set</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Download</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Download the data set…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Download the published data set?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Downloading the data set</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It is Udacity's facial keypoints data set, made from the YouTube Faces Database: {0}.

From: {1}
Into: {2}

What is there already is kept. The pictures are not part of FKD Desktop and stay under their own terms.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Look through the same data set once more</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Not now</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading the labels…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Train without the labels that cannot be used?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training cannot start on this</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Which faces to train on?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Write the table</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1} MB are there ({2} MB received)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1} pictures</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>DatasetBrowser</name>
    <message>
      <source>&amp;Judge with the network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Open another data set…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Read again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copied</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Data set</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Data set browser</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Judging {0} of {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Loading the network…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Looking for problems…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No data set yet</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open a data set</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open a folder with pictures of faces and their keypoints, or drop it here.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open another data set…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>PNG images (*.png)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading the labels…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading {0}…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Run the network over all faces and show how far off it is</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save this view</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Saved as {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The first faces come in a moment.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>There are no faces in this data set</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>This data set cannot be read</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>DeviceList</name>
    <message>
      <source>Apple GPU</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Automatic: the quickest kind that works</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Measured just now, with one face in a picture of 640 × 480.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Measuring what works here…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>NVIDIA GPU (CUDA)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Processor (CPU)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The device that was chosen is not there now; another one is used.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>measuring devices</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}: {1} ms a face</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Document</name>
    <message>
      <source>adding an anchor</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>choosing a picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>moving an anchor</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>placing the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>removing an anchor</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ExportDialog</name>
    <message numerus="yes">
      <source>%n frame(s) of the session saved</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message numerus="yes">
      <source>%n frame(s) were left out, as the disk was too slow</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message numerus="yes">
      <source>%n frame(s) written</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message>
      <source>&amp;CSV table, as OpenFace writes it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;JSON lines, an object for each frame</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Start export</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Stop export</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>300-&amp;W .pts files, one for each face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Every frame is written, from the start until you stop.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Export landmarks</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Folder for landmarks</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Formats</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open fo&amp;lder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save &amp;to:</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Start a camera or open a file in the window first.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The running session</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ExportThread</name>
    <message>
      <source>the export failed ({0}); start it again, details are in the log</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FaceChoice</name>
    <message>
      <source>All faces</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Face {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Face {0} (gone)</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FaceMenu</name>
    <message>
      <source>Add to this face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All overlays on every face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Face {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No overlay is on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Overlays of a face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} on this face instead of face {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} only on this face</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FacePane</name>
    <message>
      <source>Arrow keys move the selected anchor to the next place of the face; digits select another one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The face and what the anchors are tied to</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FacePanel</name>
    <message>
      <source>&amp;Copy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Save…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All of the picture, not only the face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy this view as an image</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>NME {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Numbers</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Parts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Prediction</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save this view as a PNG file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Side by side</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The labels of the data set</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The names of the parts of the face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The number of each keypoint</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Truth</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Truth and prediction beside each other</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What the network says of this face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Whole image</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>inter-ocular distance {0} px</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>test</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}, line {1}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FacePlaces</name>
    <message>
      <source>Above the upper lip</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Base of the nose</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Between the eyes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Chin</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Inner end of the left brow</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Inner end of the right brow</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Jaw, keypoint {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Left brow, keypoint {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Left corner of the mouth</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Left end of the jaw</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Left eye</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Left eye, keypoint {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Left of the upper lip</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Lips, keypoint {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Middle of the left brow</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Middle of the mouth</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Middle of the right brow</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Middle of {0} keypoints</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Nose, keypoint {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Outer corner of the left eye</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Outer corner of the right eye</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Outer end of the left brow</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Outer end of the right brow</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Right brow, keypoint {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Right corner of the mouth</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Right end of the jaw</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Right eye</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Right eye, keypoint {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Right of the upper lip</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Tip of the nose</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Top of the nose</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FaceSide</name>
    <message>
      <source>Nobody is in view</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>On the &amp;live picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>On the face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Try it on whoever is in view</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FaceView</name>
    <message>
      <source>Large view of the face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>predicted</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>true</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} px apart</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FailurePanel</name>
    <message>
      <source>C&amp;opy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copied</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy the reason and the last lines, for a bug report</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Go on with the run from where its last epoch ended</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Last lines of the training process</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No program opens it; the log is {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open &amp;log</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open everything that the process wrote</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>R&amp;esume</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>There is no log at {0}.</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FileExportBox</name>
    <message numerus="yes">
      <source>%n face(s) saved</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message numerus="yes">
      <source>%n frame(s) saved</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message numerus="yes">
      <source>%n of them with faces</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message>
      <source>&amp;Export file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>A file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All files (*)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Also save it with the &amp;overlays that are on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose &amp;file…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Picture or video</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Picture or video to export from</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Pictures and videos ({0})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Progress of the file's export</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Sto&amp;p</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stop the file's export</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stopped; what was done until then is kept</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FilterBar</name>
    <message>
      <source>&amp;Identity</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Order</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All splits</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>As in the table</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Everybody</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Identity</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Order</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Problems only</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Size of the thumbnails</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Split</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Test</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What cannot be used, and what there is something to know about</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where the network is furthest off; it judges the faces first</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Whose faces are shown: a file name up to its last underscore, or a part of it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Worst NME first</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>FolderRow</name>
    <message>
      <source>Choose: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose…</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Job</name>
    <message>
      <source>{0} failed unexpectedly ({1}); details are in the log</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>LayerModel</name>
    <message>
      <source>Kind</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Layer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Numbers that training has set, as the weights file holds them</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Output</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Parameters</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Share of the time that the network takes for one face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The keypoints, and all that is computed between and after the layers</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Time</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What comes out for one face: maps, height and width, or how many values</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0:.2f} ms for one face, {1:.1%} of the whole</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}, with its batch normalisation folded in</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>LayerTable</name>
    <message>
      <source>Layers of the network</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>LookBar</name>
    <message>
      <source>&amp;Colours</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Copy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Depth</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Keep its shape</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Opacity</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Save as PNG</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All maps of the layer…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Also on the other &amp;half</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Behind all others</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Brighter is more in both</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Colours</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Contrast</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy what is shown to the clipboard</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Darken (multiply)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Each map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Fit</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Grey</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>How far in front it lies</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>How its colours mix with the face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>How large each map is; what does not fit is on further pages</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>In front of all others</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Its own ({0})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Large</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Lighten (screen)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Like a hat</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Like a mask</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Like a moustache</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Like glasses</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Make-up (soft light)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Map size</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Medium</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>More contrast (overlay)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Normal</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Only move, scale and turn the picture; otherwise three or more anchors also bend it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Opacity</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Paint it once more, mirrored: an ear or an earring needs only one picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Small</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Viridis</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What is shown…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Whether each map uses all colours, or all maps of the layer share one scale</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Whole layer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>bending</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>depth</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>mirroring</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>mixing colours</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>opacity</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} %</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>LossPlot</name>
    <message>
      <source>Best: epoch</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Epoch</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Figures of the epoch</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Lo&amp;garithmic scale</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>NME on the validation faces, in %</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The curves begin after the first epoch.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training curves</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training loss</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>MainWindow</name>
    <message>
      <source>Diagnostics are on the clipboard</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Keyboard shortcuts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Loading the network…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The end. Space plays it again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The log cannot be opened here; it is {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>loading…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>no network</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>MapsView</name>
    <message>
      <source>Picture of the layer</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>NetworkInspector</name>
    <message>
      <source>, and the keypoints that it finds</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>, here {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>A large network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Activation maps</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Batch normalisations are folded into their convolutions, as in the live session.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Computing…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copied.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>First-layer kernels</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Input</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It takes {0:.1f} GB of memory here, beside what the live session has, and some seconds to load. Its maps come slower too.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Kernel</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Load it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Loading the network…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Look into the shipped network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Network inspector</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No kernels</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No live picture yet</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open an image…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Saved {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Shipped weights</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Start the camera or the demo clip, or open an image.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>This network has no convolution.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Try again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Value {0} of {1}: {2}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What the network sees: {0} {1} {0} grey pixels</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What to show</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>one value</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>shipped weights</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0:,} parameters, {1} ms a face on {2}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} kernels of {1} {2} {3}: brighter is more</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} to {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} values</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} {1} of {2}: {3}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}: {1} maps of {2} {3} {4}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}: {1}, {2}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>NetworkMenu</name>
    <message>
      <source>&amp;Use</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Weights file…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open weights</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Shipped network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Weights</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>NewRunPage</name>
    <message>
      <source>A run is under way; the next one can start when it has ended.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Name of the run</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Start training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The name of the run becomes a folder's: leave out \ / : * ? " &lt; &gt; | and outer dots.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>There is a run called {0} already; choose another name.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>name of the run</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>NoticeLine</name>
    <message>
      <source>All {0} notices</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Read it all</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show less</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>OverlayActions</name>
    <message>
      <source>Paint “{0}”</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Paint “{0}” ({1})</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>OverlayDesk</name>
    <message>
      <source>&amp;Painted</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Overlays</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>OverlayEditor</name>
    <message>
      <source>&amp;Name</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Save</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>A PNG or SVG with transparent parts is best; one can be dropped here</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Add your own overlay</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All files</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Anchors on one line do not tie the picture down; drag one of them elsewhere.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cancel</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose a picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose picture…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Discard</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Drag each number to the same spot on both sides: on the picture, and where that belongs on the face.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Edit overlay</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Give the overlay a name.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Go on editing</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Otherwise what you did here is lost.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Pictures</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save the overlay before closing?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The overlay is not there any more; close this window and begin a new one.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The picture is very large; it is kept at {0} pixels.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>This overlay has several pictures; change the files in its folder.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What it is called in the gallery</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Your picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the name</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>OverlayGallery</name>
    <message>
      <source>Add your own…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Drawn</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Edit…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Fun</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It has several pictures; change the files in its folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Make an overlay from a picture; one can be dropped here, too</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>None</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Not usable</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Number key</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>On the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Overlays</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Privacy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Rename…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Your own</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} (now {1})</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>OverlayTile</name>
    <message>
      <source>key {0}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Overlays</name>
    <message>
      <source>Blur faces</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Face boxes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Head pose</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Keypoints</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Mesh</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Numbers</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Pixelate faces</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>en</source>
      <comment>the code of the language of this translation, such as de</comment>
      <translation type="unfinished" />
    </message>
    <message>
      <source>yaw {0}°   pitch {1}°   roll {2}°</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>OwnOverlays</name>
    <message>
      <source>Delete for good</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete it for good? This cannot be undone.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete overlay</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete “{0}”?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Its folder is moved to the trash:
{0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Move to trash</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Name of the overlay:</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No file manager opened {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Rename overlay</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>There is no trash for “{0}”.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} cannot be renamed: {1}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>“{0}” is deleted.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>“{0}” is in the trash.</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>PageBar</name>
    <message>
      <source>&amp;All maps</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Back to all maps of the layer (Esc)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Next</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Previous</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>PicturePane</name>
    <message>
      <source>Arrow keys move the selected anchor, with Shift ten times as far; digits select another one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Drop a PNG or SVG picture here, or choose one above. Transparent parts stay see-through.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The picture and its anchors</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>PlacingBar</name>
    <message>
      <source>Add an anchor</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Anchors: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Glasses</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Hat</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Moustache</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Place it like</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Place it like: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Put the anchors where they belong for this kind of picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Redo</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Redo {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Remove the selected anchor</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Undo</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Undo {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Whole face</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>PreferencesDialog</name>
    <message numerus="yes">
      <source>%n second(s)</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message>
      <source>&amp;Let go of the camera while the window is minimised</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Mirror the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Play videos again and again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Start with the source that was used last</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>A new language is used from the next start on.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>As the system says</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Capture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Countdown</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Folder for pictures</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Folder for videos</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Format</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>General</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>High: as still as can be; quick motion lags a little</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>JPEG: smaller files</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Language</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Low: still on a still face, no lag on a moving one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Make all settings what they were at the first start?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>None</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Off: every measurement as it is</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>PNG: every pixel as it is</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Pages of the preferences</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Pictures</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Preferences</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reset</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reset all settings</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reset all…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Runs on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Smoothing</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Videos</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Which network finds the keypoints is chosen in the Network menu.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Your own overlays, pictures, videos and training runs are not touched.</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ProblemViewer</name>
    <message>
      <source>Close</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open its folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>This is about the labels, not about a single picture.</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ProblemsModel</name>
    <message>
      <source>What</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>good to know</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>problem</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ProblemsView</name>
    <message>
      <source>Copy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>problems of the data set</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ProgressView</name>
    <message>
      <source>&amp;Cancel and delete</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Keep training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Stop and keep</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Best NME</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Best NME (epoch {0})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>C&amp;ancel…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cancel the run</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cancel the run?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Elapsed</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>End after the batch under way. The weights so far are kept, and the run can go on later.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>End the run and delete what it has written</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Go on with the run from where it was stopped</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Images/s</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Loading the curves…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Memory</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>NME now</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>R&amp;esume</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Start a run, and its progress is shown here.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>There are no curves: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Time left</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What it has learned is deleted, also that of before it was resumed.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What it has learned is deleted.</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>RecentMenu</name>
    <message>
      <source>&amp;Clear the list</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open &amp;recent</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} is not there any more</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>RecordingIndicator</name>
    <message numerus="yes">
      <source>%n frame(s) dropped</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message>
      <source>End the recording and keep it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Recording: {0}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>RunHead</name>
    <message>
      <source>Progress of the run</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0:,} faces to train on, {1:,} to judge on</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>RunsModel</name>
    <message>
      <source>After epoch {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Best NME</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Date</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Epochs</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Failed</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Finished</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Length</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Name</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Normalised mean error on people that the run kept aside: the lower, the better</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>State</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stopped</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training now</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} (in use)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>RunsPage</name>
    <message>
      <source>Another run is training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Compare with the network in use</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Compare with the shipped network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete a run</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete the run {0}?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Every run that you start is listed here, to be compared, used or resumed later.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Fill the form of a new run with its settings</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It has all its epochs</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It has no weights yet</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It is training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Its weights and figures are deleted from the disk for good.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Its weights, which the live session uses, and its figures are deleted from the disk for good.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Keep it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>New run like it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No program here opens folders; this one is {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No runs yet</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Past runs</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading the list…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Resume</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Save weights as…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Saved as {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stop it first</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>They are in use</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Use its weights</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>SessionBar</name>
    <message numerus="yes">
      <source>%n face(s)</source>
      <translation type="unfinished">
        <numerusform />
        <numerusform />
      </translation>
    </message>
    <message>
      <source>Faces in the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Frames painted a second</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Frames that came and were not painted, because a newer one was there</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>From capture to paint: median and 95th percentile</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The network, and where it runs</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What was agreed on with the camera</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>camera mode</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>drops</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>faces</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>frame rate</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>latency</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>source</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} dropped</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} frames/s</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} ms (p95 {1} ms)</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>SessionPane</name>
    <message>
      <source>As soon as it is free, the picture comes by itself.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>As soon as it is there, the picture comes by itself.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Camera {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Demo clip</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No camera or file is in use.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Once it is back, the picture goes on by itself.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Opening {0}…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stopped</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The camera</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The stream</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Waiting for {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} is in use elsewhere</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} is not there</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} may not be used</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>SheetPicture</name>
    <message>
      <source>Show it in full size</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>SheetView</name>
    <message>
      <source>After the first epoch, faces of people that the network is not trained on appear here: their true keypoints, and where the network sees them.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The picture of epoch {0} is not there any more.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Validation faces</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Validation faces after epoch {0}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>SourceBar</name>
    <message>
      <source>&amp;Image…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Live picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Pause</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Face {0} of {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Hold the live picture here; the main window goes on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Look at a picture from a file; it can be dropped here too</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Look at what the main window shows</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No face found: this is the middle of the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No new picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Paused</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Pictures a second</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Which of the faces the network is given</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} a second</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>SourceOpener</name>
    <message>
      <source>All files</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open a folder of pictures</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open video or image</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Videos and images</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>StartEditor</name>
    <message>
      <source>Choose the weights to start from</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>File {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Scratch</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Shipped weights</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Weights file…</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>StatusLine</name>
    <message>
      <source>Progress</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>S&amp;top</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stop judging; what has been judged stays</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>no problems</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the first {0} faces</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} cannot be used</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} faces</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1} faces</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} with a warning</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>TextEditor</name>
    <message>
      <source>Choose…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>None</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ThumbnailGrid</name>
    <message>
      <source>Faces of the data set</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ThumbnailStrip</name>
    <message>
      <source>{0} faces of the data set with their keypoints</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Toast</name>
    <message>
      <source>Close</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show in folder</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>TrainerWindow</name>
    <message>
      <source>&amp;Comparison</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;New run</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Progress</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>FKD Desktop ends with this window. Stop the run and keep what it learned?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It can go on without this window: the status bar of the main window shows how far it is.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Keep training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Past &amp;runs</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show the live picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stay</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stop and keep</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Trainer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training is under way</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training is under way.</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>TrainingIndicator</name>
    <message>
      <source>NME {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open the trainer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training failed</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training is cancelled</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training is done</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training starts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training stopped</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training stops</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>training progress</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>TransportBar</name>
    <message>
      <source>5 seconds back</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>5 seconds on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>File</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>First picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>How fast the video is played ([ and ])</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Last picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Length</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Next picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Number of the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>One frame back</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>One frame on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Pause</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Place in the video</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Play</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Play again and again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Play faster</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Play slower</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Playback</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Previous picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Speed</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Time</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>To the end</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>To the start</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>UrlDialog</name>
    <message>
      <source>&amp;Address of the network camera or stream:</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Address of the network camera or stream</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Only this address is asked for pictures; nothing is sent anywhere else. A user name and password can be part of it: rtsp://user:password@host/path.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open stream</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What is wrong with the address</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>VariantSheet</name>
    <message>
      <source>Variants of the face</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What the network learns is no well-placed face:</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>VideoView</name>
    <message>
      <source>Actual size</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Live picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Whole picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Zoom in</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Zoom out</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>VirtualCameraDialog</name>
    <message>
      <source>&amp;Size:</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Start</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Stop</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Be allowed to use cameras; log in again afterwards:</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Browsers and call programs list the new camera after they were started again.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Check &amp;again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy the command</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Install OBS Studio 26 or newer from obsproject.com. It brings the virtual camera.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Install OBS Studio from obsproject.com into Applications: version 30 or newer, or 28 on macOS 12.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Install the driver v4l2loopback. On Debian and Ubuntu:</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Install the package pyvirtualcam. Its licence is the GPL, so it does not come with FKD Desktop:</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Load it, after each start of the computer:</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Missing</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Off.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Off. Something that it needs is missing, see below.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>On. Choose the camera “{0}” in the other program.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Only one program at a time can feed this camera: stop it in OBS first. Call programs list it after they were started again.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open OBS and click “Start Virtual Camera”. Allow its camera extension in the System Settings when macOS asks. Then click “Stop Virtual Camera” and quit OBS.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Opening…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Other programs see a virtual camera like any other: a video call then shows your picture with its overlays. FKD Desktop itself sends nothing anywhere.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The picture is fitted into it, with black bars where it needs them</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Virtual camera</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What it needs, once</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>command for a terminal</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>size of the picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>state of the virtual camera</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>step {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>✓ Ready</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Workshop</name>
    <message>
      <source>Keep training</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Keep training: the camera is let go, and the trainer stays open until the run has ended.
Stop and keep: the run ends now, with what it has learned; it can be resumed later.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stay</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stop and keep</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The shipped network is in use instead.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training failed</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training is done</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training is under way</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Training is under way.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}: best NME {1} in epoch {2}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>_Picture</name>
    <message>
      <source>Show it in full size</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Validation faces with true and predicted keypoints</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>picture, {0} by {1} pixels</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>errors</name>
    <message>
      <source>a camera needs a window to be seen in; give a video, a picture or demo as --source</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>a picture of {width} x {height} cannot be saved as {form}; choose PNG in the preferences</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>all images are of one identity; validation needs at least two</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>another program uses {name}; close it there, or choose another camera</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>camera:{camera} asks for a size or rate that makes no sense; write camera:0?size=1280x720&amp;fps=30</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>camera:{camera} is not a camera; write camera:0 for the first one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, names has {language}, which is no language; write codes such as de or pt_BR</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, the entry {entry} is missing; write it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, the entry {entry} is not known; check its spelling</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, there are {found} of {entry}; write {least} to {most}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, three of {where} are on one line, which gives no perspective; put one elsewhere</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, two of {where} are on the same keypoints; give each its own</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, two of {where} are on the same point of the picture; give each its own</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} has {found}; write numbers from {least} to {most}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} has {found}; write whole numbers from {least} to {most}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} is {found} and neither an SVG nor a PNG; choose one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} is {found} and no list of tables; mend it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} is {found} and no table; mend it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} is {found} and not a line of up to {longest} letters; mend it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} is {found}, which leads outside the overlay's own folder; put the picture inside</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} is {found}; write a list of {count} numbers</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} is {found}; write one of {choices}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {entry} is {found}; write true or false</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {where} are all on one line, which does not tie a picture down; put one elsewhere</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>in {path}, {where} has a keypoint twice; write each once</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>it holds no settings</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>learning_rate is 0; nothing would be learned</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>no picture or video matches {pattern}; check the pattern</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>none of the {count} pictures in {folder} can be read; choose another folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>nothing was recorded because no picture came; start the session and retry</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>recording failed ({reason}); details are in the log</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the comparison was stopped before its end</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the disk of {folder} is nearly full, so nothing is recorded; free some space or choose another folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the disk of {folder} is nearly full, so the recording was ended and kept; free some space</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} has a DOCTYPE or entities, which may hide files; free it of them</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} has a part &lt;{part}&gt;, which overlays must not have; free it of that</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} has a style that refers to something outside; put all that it shows inside</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} has more than {most} shapes; choose a simpler one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} has {what}, which overlays must not have; free it of that</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} is nested too deeply; choose a simpler one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} is no SVG ({reason}); choose another</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} is no SVG; choose another</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} is not written in UTF-8; choose another</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the drawing {path} refers to {what}, outside itself; put all that it shows inside</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the face detector's file {path} is damaged; install opencv-python again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the face detector's file {path} is missing or damaged; install opencv-python again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the folder {path} has no pictures or videos; choose another one, or give --recursive for what is below it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the folder {path} has no pictures; choose another one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the network does not run ({reason}); details are in the log</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the network does not run on {device} ({reason}); choose another device</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay {folder} cannot be deleted ({reason}); check its folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay {folder} cannot be written ({reason}); choose another place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay {folder} has the name of one that comes with the program; give its folder another</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay {name} cannot be used: {reason}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's description {path} cannot be read ({reason}); mend it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's description {path} is missing; put it there</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's picture {path} cannot be read ({reason}); check it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's picture {path} has an anchor of a mesh outside it, at {place}; put it inside</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's picture {path} has {width} x {height} px; choose one of at most {side} px a side and {pixels} million in all</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's picture {path} is damaged or has no size; give it a viewBox</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's picture {path} is damaged or no PNG; choose another</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's picture {path} is damaged; choose another</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's picture {path} is larger than {most} MB; choose a smaller one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's picture {path} is missing; put it there</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the overlay's picture {path} leads outside its own folder; put it inside</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the server sent an incomplete listing of the files; try again later</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the server sent something that is no listing of files; update FKD Desktop</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the virtual camera does not work ({reason}); see in its dialog what it needs</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the virtual camera needs the package pyvirtualcam ({reason}); install it as its dialog explains</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the weights do not say whom their run kept aside; choose --split training or test</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the weights' runs kept different people aside; choose another --split to compare on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>there is an overlay {folder} already; choose another name</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>there is no --data; give the folder of the data set, or a run to --resume</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>there is no file {path}; check the path or choose another file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>there is no folder for overlays of your own; choose one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>there is no overlay {name}; choose from {names}, or give the folder of one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>there is no picture or video in {path} or below; choose another folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>there is no picture to keep; start the session and retry</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>there is no {name}; plug one in and retry, or choose another source</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>this is not an address of a stream; write one like rtsp://host/path or http://host/video</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>writing {path} failed ({reason}) and what came before is kept; free some space or choose another place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>writing {path} failed ({reason}); free some space or choose another place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>you are not allowed to use {name}; ask your administrator to put you into the group “video”, log in again, or choose another source</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{folder} is not one of your own overlays; choose one that is</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} answers but has no stream there; check what stands behind the host in the address</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} answers with something that is not a video; check the address, the camera's manual tells it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} cannot be opened; close other programs that may use it, and check that the system's privacy settings allow it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} does not answer; check the address, that the camera is switched on and that this computer is in its network</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} has no end and cannot be worked through; record it in the window, then give the file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} has sent no pictures for {seconds:.0f} seconds; it is opened again, and if that does not help, check its cable</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} is not connected; plug it in and it is live again by itself, or choose another source</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} needs a kind of connection that is not supported; choose an rtsp, http or https address of it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} stopped sending pictures; check that it is plugged in, then retry</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} stopped sending pictures; check the camera and the network, it is live again by itself</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} wants another user name or password; put them into the address, as in rtsp://user:password@host/path</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{name} was unplugged; plug it in and it is live again by itself, or choose another source</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} cannot be read ({reason}); check the path and its permissions</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} cannot be read ({reason}); choose another picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} cannot be written ({reason}); choose another place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} cannot be written ({reason}); free some space or choose another folder in the preferences</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} cannot be written; make room for temporary files</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} has format {found}; this program reads {known}, update FKD Desktop or mend the file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} has no picture that can be read; it is empty or damaged, choose another file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is cut off after {there} of its {expected} seconds; the rest is lost, so get the file again for all of it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is empty; choose another file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is larger than 100 MB; make the picture smaller and choose it again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is longer than any description of an overlay; mend it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is no SVG drawing that can be read; choose another picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is no name that a file can have; choose a picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is no picture that can be read ({reason}); choose a PNG or SVG picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is not a file; choose a PNG or SVG picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is not a file; choose a video or a picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is not a picture that can be read, or is damaged; choose another file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is not a video or picture that can be read, or is damaged; choose another file</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is smaller than 2 x 2 pixels; choose a larger picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is there already; choose another name, or write over it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is too large a picture; choose one of at most {limit} megapixels</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} is wholly transparent; choose a picture that shows something</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{path} needs either [[pictures]] or an [effect]; give it one of them</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>save_weights</name>
    <message>
      <source>Save weights</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Weights (*.safetensors)</source>
      <translation type="unfinished" />
    </message>
  </context>
</TS>
